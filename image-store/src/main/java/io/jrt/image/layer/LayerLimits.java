package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageStoreConfig;

/**
 * What a layer may become before it is taken for a bomb.
 *
 * @param maxBytes uncompressed
 * @param maxEntries files, directories and others, those made implicitly too
 * @param maxExpansion times the compressed size, once above 1 GiB
 */
public record LayerLimits(long maxBytes, long maxEntries, int maxExpansion) {
  private static final long EXPANSION_FLOOR = 1L << 30;

  public static LayerLimits of(ImageStoreConfig.Limits limits) {
    return new LayerLimits(limits.maxLayerBytes(), limits.maxLayerEntries(), limits.maxExpansion());
  }

  /** Called as the uncompressed bytes of a layer grow. */
  void checkBytes(long bytes, long compressedSize) {
    if (bytes > maxBytes) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "a layer grows above the limit of " + maxBytes + " bytes");
    }
    if (bytes > EXPANSION_FLOOR && bytes / maxExpansion > compressedSize) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "a layer of " + compressedSize + " bytes grows above " + maxExpansion + " times that");
    }
  }

  void checkEntries(long entries) {
    if (entries > maxEntries) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "a layer has more entries than the limit of " + maxEntries);
    }
  }
}
