package io.jrt.image.policy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** Public keys from PEM files, and what they say of a signature. */
final class PublicKeys {
  private static final int MIN_RSA_BITS = 2048;

  private PublicKeys() {}

  /**
   * All keys of the files.
   *
   * @throws JrtException FAILED_PRECONDITION when one cannot be used
   */
  static List<PublicKey> read(List<Path> files) {
    var keys = new ArrayList<PublicKey>();
    for (Path file : files) {
      int before = keys.size();
      try (Reader reader = Files.newBufferedReader(file);
          var pem = new PEMParser(reader)) {
        for (Object part = pem.readObject(); part != null; part = pem.readObject()) {
          if (part instanceof SubjectPublicKeyInfo info) {
            keys.add(usable(file, new JcaPEMKeyConverter().getPublicKey(info)));
          }
        }
      } catch (IOException e) {
        throw unusable(file, "cannot be read: " + e.getMessage(), e);
      }
      if (keys.size() == before) {
        throw unusable(file, "has no public key", null);
      }
    }
    return keys;
  }

  private static PublicKey usable(Path file, PublicKey key) {
    if (key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() < MIN_RSA_BITS) {
      throw unusable(file, "has an RSA key of less than " + MIN_RSA_BITS + " bits", null);
    }
    algorithm(file, key);
    return key;
  }

  private static String algorithm(Path file, PublicKey key) {
    return switch (key.getAlgorithm()) {
      case "EC", "ECDSA" ->
          key instanceof ECPublicKey ec && ec.getParams().getOrder().bitLength() == 256
              ? "SHA256withECDSA"
              : "SHA384withECDSA";
      case "RSA" -> "SHA256withRSA";
      case "Ed25519", "EdDSA" -> "Ed25519";
      default -> throw unusable(file, "has a key of kind " + key.getAlgorithm(), null);
    };
  }

  /** Whether one of the keys made the signature. */
  static boolean anySigned(List<PublicKey> keys, byte[] message, byte[] signature) {
    return keys.stream().anyMatch(key -> signed(key, message, signature));
  }

  private static boolean signed(PublicKey key, byte[] message, byte[] signature) {
    try {
      Signature verifier = Signature.getInstance(algorithm(Path.of("key"), key));
      verifier.initVerify(key);
      verifier.update(message);
      return verifier.verify(signature);
    } catch (SignatureException e) {
      // Not even of the form of such a signature: another kind of key made it.
      return false;
    } catch (GeneralSecurityException e) {
      throw new JrtException(
          ErrorKind.INTERNAL,
          "verify signature",
          "this JDK cannot use a key: " + e.getMessage(),
          e);
    }
  }

  private static JrtException unusable(
      Path file, String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new JrtException(
        ErrorKind.FAILED_PRECONDITION, "read image policy", "the key " + file + " " + why, cause);
  }
}
