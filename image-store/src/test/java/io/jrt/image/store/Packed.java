package io.jrt.image.store;

import java.io.ByteArrayOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream;

/** Bytes in compressions that other tools write. */
final class Packed {
  /** As xz writes an empty file. */
  private static final byte[] XZ = {
    (byte) 0xfd, '7', 'z', 'X', 'Z', 0, 0, 4, (byte) 0xe6, (byte) 0xd6, (byte) 0xb4, 0x46
  };

  private Packed() {}

  static byte[] by(String name, byte[] plain) throws java.io.IOException {
    var bytes = new ByteArrayOutputStream();
    switch (name) {
      case "xz" -> bytes.write(XZ);
      case "bzip2" -> {
        try (var out = new BZip2CompressorOutputStream(bytes)) {
          out.write(plain);
        }
      }
      case "lz4" -> {
        try (var out = new FramedLZ4CompressorOutputStream(bytes)) {
          out.write(plain);
        }
      }
      default -> throw new IllegalArgumentException(name);
    }
    return bytes.toByteArray();
  }
}
