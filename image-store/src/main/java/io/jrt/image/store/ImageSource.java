package io.jrt.image.store;

import io.jrt.image.content.Descriptor;
import java.io.InputStream;

/** Where the bytes of an image come from. */
interface ImageSource {
  /** A small document, whole and verified. */
  byte[] document(Descriptor descriptor);

  /** A layer as it is stored, not verified, from a byte on. */
  InputStream layer(Descriptor descriptor, long from);

  /** Whether bytes that came should not have to come again. */
  boolean isFar();
}
