package io.jrt.image.registry;

import io.jrt.image.Digest;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.Document;

/** A document as it was served; the bytes are those of the digest. */
public final class Served {
  private final Digest digest;
  private final byte[] bytes;
  private final Document document;

  Served(Digest digest, byte[] bytes, Document document) {
    this.digest = digest;
    this.bytes = bytes;
    this.document = document;
  }

  public Digest digest() {
    return digest;
  }

  public byte[] bytes() {
    return bytes.clone();
  }

  public Document document() {
    return document;
  }

  public Descriptor descriptor() {
    return Descriptor.of(document.mediaType(), digest, bytes.length);
  }
}
