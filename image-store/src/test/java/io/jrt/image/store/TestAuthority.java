package io.jrt.image.store;

import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A private certificate authority, with its files in one directory. */
public final class TestAuthority {
  private record Issued(X509Certificate certificate, PrivateKey key) {}

  private final Map<String, Issued> issued = new HashMap<>();
  private final Path directory;
  private final KeyPair keys;
  private final X500Name name = new X500Name("CN=jrt test authority");
  private final X509Certificate certificate;

  public TestAuthority(Path directory) throws Exception {
    this.directory = Files.createDirectories(directory);
    this.keys = keys();
    this.certificate = sign("jrt test authority", name, keys, true);
    write("ca.pem", certificate);
  }

  /** Issues a certificate for a name and loopback: NAME.pem and NAME.key. */
  public TestAuthority issue(String subject) throws Exception {
    KeyPair pair = keys();
    X509Certificate signed = sign(subject, new X500Name("CN=" + subject), pair, false);
    issued.put(subject, new Issued(signed, pair.getPrivate()));
    write(subject + ".pem", signed);
    write(subject + ".key", new JcaPKCS8Generator(pair.getPrivate(), null));
    return this;
  }

  public Path file(String file) {
    return directory.resolve(file);
  }

  /** Of somebody who trusts this authority and shows a certificate of it. */
  public SSLContext context(String subject) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setCertificateEntry("ca", certificate);
    Issued own = Objects.requireNonNull(issued.get(subject));
    store.setKeyEntry(
        "own", own.key(), new char[0], new X509Certificate[] {own.certificate(), certificate});
    var key = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    key.init(store, new char[0]);
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(key.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  private static KeyPair keys() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    return generator.generateKeyPair();
  }

  private X509Certificate sign(String host, X500Name subject, KeyPair pair, boolean authority)
      throws Exception {
    var builder =
        new JcaX509v3CertificateBuilder(
            name,
            new BigInteger(64, new SecureRandom()),
            Date.from(Instant.now().minusSeconds(3600)),
            Date.from(Instant.now().plusSeconds(36_000)),
            subject,
            pair.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
    if (!authority) {
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(
              new GeneralName[] {
                new GeneralName(GeneralName.iPAddress, "127.0.0.1"),
                new GeneralName(GeneralName.dNSName, host)
              }));
    }
    return new JcaX509CertificateConverter()
        .getCertificate(
            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
  }

  private void write(String file, Object content) throws Exception {
    var text = new StringWriter();
    try (var pem = new JcaPEMWriter(text)) {
      pem.writeObject(content);
    }
    Files.writeString(file(file), text.toString(), StandardCharsets.US_ASCII);
  }
}
