package io.jrt.image.policy;

import io.jrt.image.Digest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Base64;

/** Signs as cosign does with a key. */
public record Cosign(KeyPair keys, String algorithm) {

  public static Cosign of(String kind, int bits, String algorithm) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(kind);
    if (bits > 0) {
      generator.initialize(bits);
    }
    return new Cosign(generator.generateKeyPair(), algorithm);
  }

  public static Cosign ecdsa() throws Exception {
    return of("EC", 256, "SHA256withECDSA");
  }

  public Path publicKey(Path file) throws Exception {
    String body = Base64.getMimeEncoder().encodeToString(keys.getPublic().getEncoded());
    return Files.writeString(
        file, "-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----\n");
  }

  public static byte[] payload(String digest) {
    return """
    {"critical":{"identity":{"docker-reference":"a/b"},"image":{"docker-manifest-digest":"%s"},\
    "type":"cosign container image signature"},"optional":null}\
    """
        .formatted(digest)
        .getBytes(StandardCharsets.UTF_8);
  }

  /** The manifest of a signature whose only layer is the payload. */
  public byte[] manifest(byte[] payload, byte[] config, String more) throws Exception {
    Signature signer = Signature.getInstance(algorithm);
    signer.initSign(keys.getPrivate());
    signer.update(payload);
    String signature = Base64.getEncoder().encodeToString(signer.sign());
    return """
    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
     "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},
     "layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"%s",
       "size":%d,"annotations":{"dev.cosignproject.cosign/signature":"%s"}}]%s}
    """
        .formatted(
            Digest.sha256(config),
            config.length,
            Digest.sha256(payload),
            payload.length,
            signature,
            more)
        .getBytes(StandardCharsets.UTF_8);
  }
}
