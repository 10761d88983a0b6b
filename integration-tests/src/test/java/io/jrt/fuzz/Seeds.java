package io.jrt.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Well-formed input of the binary formats. */
final class Seeds {
  private Seeds() {}

  static byte[] tar() {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        tar.putArchiveEntry(new TarArchiveEntry("d/"));
        tar.closeArchiveEntry();
        TarArchiveEntry file = new TarArchiveEntry("d/" + "long".repeat(40));
        file.setSize(5);
        file.addPaxHeader("SCHILY.xattr.user.a", "b");
        tar.putArchiveEntry(file);
        tar.write("12345".getBytes(StandardCharsets.UTF_8));
        tar.closeArchiveEntry();
        TarArchiveEntry link = new TarArchiveEntry("d/link", TarConstants.LF_SYMLINK);
        link.setLinkName("../../outside");
        tar.putArchiveEntry(link);
        tar.closeArchiveEntry();
        TarArchiveEntry hard = new TarArchiveEntry("d/hard", TarConstants.LF_LINK);
        hard.setLinkName("d/link");
        tar.putArchiveEntry(hard);
        tar.closeArchiveEntry();
      }
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] gzip() {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
        gzip.write(tar());
      }
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SYN_STREAM of stream 1 with a header block that is no good dictionary, data, RST, PING. */
  static byte[] spdy() {
    Deflater deflater = new Deflater();
    deflater.setInput("\0\0\0\1\0\0\0\nstreamtype\0\0\0\5error".getBytes(StandardCharsets.UTF_8));
    deflater.finish();
    byte[] block = new byte[200];
    int length = deflater.deflate(block);
    deflater.end();
    ByteBuffer frames = ByteBuffer.allocate(300);
    frames.putShort((short) 0x8003).putShort((short) 1).putInt(10 + length);
    frames.putInt(1).putInt(0).putShort((short) 0).put(block, 0, length);
    frames.putInt(1).putInt(3).put(new byte[] {1, 2, 3});
    frames.putShort((short) 0x8003).putShort((short) 6).putInt(4).putInt(1);
    frames.putShort((short) 0x8003).putShort((short) 3).putInt(8).putInt(1).putInt(5);
    return java.util.Arrays.copyOf(frames.array(), frames.position());
  }

  static byte[] webSocket() {
    ByteBuffer frames = ByteBuffer.allocate(64);
    byte[] mask = {1, 2, 3, 4};
    byte[] text = "1aGVsbG8=".getBytes(StandardCharsets.UTF_8);
    for (int opcode : new int[] {0x81, 0x89, 0x82, 0x88}) {
      frames.put((byte) opcode).put((byte) (0x80 | text.length)).put(mask);
      for (int i = 0; i < text.length; i++) {
        frames.put((byte) (text[i] ^ mask[i % 4]));
      }
    }
    return java.util.Arrays.copyOf(frames.array(), frames.position());
  }

  static byte[] record() {
    return """
    {"kind":"container","version":1,"record":{"id":"a","podId":"b","config":{"metadata":{"name":"c",
     "attempt":0}},"createdAt":"2026-01-01T00:00:00Z","bootId":"x","imageId":"i","imageRef":"r",
     "imageVolumes":{},"process":{},"user":{},"cdiDevices":[],"cgroup":"/c","resources":{},
     "end":null}}
    """
        .getBytes(StandardCharsets.UTF_8);
  }

  static byte[] loaderCache() {
    byte[] names = "libc.so.6\0/lib/libc.so.6\0".getBytes(StandardCharsets.UTF_8);
    ByteBuffer cache = ByteBuffer.allocate(48 + 24 + names.length).order(ByteOrder.LITTLE_ENDIAN);
    cache.put("glibc-ld.so.cache1.1".getBytes(StandardCharsets.UTF_8));
    cache.putInt(1).putInt(names.length).putInt(2).putInt(0).putInt(0).putInt(0).putInt(0);
    cache.putInt(0x303).putInt(72).putInt(82).putInt(0).putLong(0);
    cache.put(names);
    return cache.array();
  }

  /** The first kilobytes of a real one, or of nothing where there is none. */
  static byte[] library() {
    for (String name :
        new String[] {"/lib/x86_64-linux-gnu/libutil.so.1", "/lib64/ld-linux-x86-64.so.2"}) {
      Path file = Path.of(name);
      if (Files.exists(file)) {
        try {
          return Files.readAllBytes(file);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1};
  }
}
