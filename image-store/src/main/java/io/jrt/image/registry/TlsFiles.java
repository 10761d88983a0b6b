package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.registry.Endpoint.ClientPair;
import io.jrt.image.registry.Endpoint.Tls;
import java.io.IOException;
import java.io.Reader;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** TLS from PEM files: private authorities, client certificates, or no check at all. */
final class TlsFiles {
  private TlsFiles() {}

  static void apply(Tls tls, HttpClient.Builder builder) {
    if (tls.equals(Tls.DEFAULT)) {
      return;
    }
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys(tls.client()), new TrustManager[] {trust(tls)}, null);
      builder.sslContext(context);
    } catch (GeneralSecurityException | IOException e) {
      throw new JrtException(
          ErrorKind.INVALID,
          "read registry certificates",
          "the certificates of a registry cannot be used: " + e.getMessage(),
          e);
    }
  }

  private static X509ExtendedTrustManager trust(Tls tls)
      throws GeneralSecurityException, IOException {
    if (tls.skipVerify()) {
      return new TrustsAnyone();
    }
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    int number = 0;
    for (X509Certificate authority : platformAuthorities()) {
      store.setCertificateEntry("platform-" + number++, authority);
    }
    for (Path file : tls.ca()) {
      for (Certificate authority : certificates(file)) {
        store.setCertificateEntry("configured-" + number++, authority);
      }
    }
    return trustManager(store);
  }

  private static List<X509Certificate> platformAuthorities() throws GeneralSecurityException {
    return List.of(trustManager(null).getAcceptedIssuers());
  }

  private static X509ExtendedTrustManager trustManager(
      @org.jspecify.annotations.Nullable KeyStore store) throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509ExtendedTrustManager x509) {
        return x509;
      }
    }
    throw new GeneralSecurityException("this JDK has no X.509 trust manager");
  }

  private static KeyManager[] keys(List<ClientPair> pairs)
      throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    char[] password = new char[0];
    for (int i = 0; i < pairs.size(); i++) {
      ClientPair pair = pairs.get(i);
      store.setKeyEntry(
          "client-" + i,
          key(pair.key()),
          password,
          certificates(pair.certificate()).toArray(Certificate[]::new));
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, password);
    return factory.getKeyManagers();
  }

  private static List<X509Certificate> certificates(Path file)
      throws IOException, CertificateException {
    var converter = new JcaX509CertificateConverter();
    var certificates = new ArrayList<X509Certificate>();
    try (Reader reader = Files.newBufferedReader(file);
        var pem = new PEMParser(reader)) {
      for (Object part = pem.readObject(); part != null; part = pem.readObject()) {
        if (part instanceof X509CertificateHolder holder) {
          certificates.add(converter.getCertificate(holder));
        }
      }
    }
    if (certificates.isEmpty()) {
      throw new IOException(file + " has no certificate");
    }
    return certificates;
  }

  private static PrivateKey key(Path file) throws IOException {
    var converter = new JcaPEMKeyConverter();
    try (Reader reader = Files.newBufferedReader(file);
        var pem = new PEMParser(reader)) {
      for (Object part = pem.readObject(); part != null; part = pem.readObject()) {
        if (part instanceof PEMKeyPair pair) {
          return converter.getKeyPair(pair).getPrivate();
        }
        if (part instanceof PrivateKeyInfo info) {
          return converter.getPrivateKey(info);
        }
      }
    }
    throw new IOException(file + " has no private key that is not encrypted");
  }

  /** For registries that the administrator marked skip_verify. */
  private static final class TrustsAnyone extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
