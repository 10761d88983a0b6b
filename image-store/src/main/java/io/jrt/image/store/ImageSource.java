package io.jrt.image.store;

import io.jrt.image.content.Descriptor;
import java.io.InputStream;

/** Where the bytes of an image come from: a registry or an archive. */
interface ImageSource {

  /** A document, whole and verified. */
  byte[] document(Descriptor descriptor);

  /** A layer's compressed bytes; not verified. */
  InputStream layer(Descriptor descriptor);
}
