package io.jrt.image.store;

import io.jrt.image.content.Descriptor;
import java.io.InputStream;
import java.util.Optional;

/** Where the bytes of an image come from. */
interface ImageSource {
  /** A small document, whole and verified. */
  byte[] document(Descriptor descriptor);

  /** A layer as it is stored, not verified, from a byte on. */
  InputStream layer(Descriptor descriptor, long from);

  /** How to have a layer in pieces; empty where that makes no sense. */
  default Optional<RangedStream.Opener> ranges(Descriptor descriptor) {
    return Optional.empty();
  }

  /** Whether bytes that came should not have to come again. */
  boolean isFar();
}
