package io.jrt.cli.rpc;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * TLS to a server whose certificate is known beforehand, from the daemon's own socket: no authority
 * has to vouch for it, and its names do not matter.
 */
final class PinnedTls {
  private PinnedTls() {}

  /**
   * Connects and shakes hands.
   *
   * @param certificates PEM text of the server's chain
   */
  static Socket connect(URI url, String certificates) throws IOException {
    try {
      KeyStore known = KeyStore.getInstance(KeyStore.getDefaultType());
      known.load(null, null);
      int number = 0;
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509")
              .generateCertificates(
                  new ByteArrayInputStream(certificates.getBytes(StandardCharsets.US_ASCII)))) {
        known.setCertificateEntry(Integer.toString(number++), certificate);
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(known);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      SSLSocket socket =
          (SSLSocket) context.getSocketFactory().createSocket(url.getHost(), url.getPort());
      socket.startHandshake();
      return socket;
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "the streaming server's certificate cannot be used: " + e.getMessage(), e);
    }
  }
}
