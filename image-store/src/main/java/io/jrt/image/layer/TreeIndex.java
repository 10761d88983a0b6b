package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The list of what was unpacked, written beside a layer as it is: one record an entry, in the order
 * of the tar, the last one of a path being the truth. It serves to set the times of directories
 * when their content is complete, and to find damage after a power cut.
 */
final class TreeIndex {
  private TreeIndex() {}

  /** What a record says. */
  enum Kind {
    FILE('f'),
    DIRECTORY('d'),
    SYMLINK('s'),
    HARD_LINK('h'),
    OTHER('o'),
    /** The path and all below it were taken away again by a later entry. */
    REMOVED('r');

    private final char code;

    Kind(char code) {
      this.code = code;
    }
  }

  /**
   * One record.
   *
   * @param path one character a byte
   * @param size of a file
   * @param crc CRC-32C of a file's content or a link's target
   */
  record Node(Kind kind, String path, long size, int crc, long mtimeSeconds, int mtimeNanos) {}

  /** Appends records. */
  static final class Writer implements AutoCloseable {
    private final DataOutputStream out;

    Writer(Path file) throws IOException {
      OutputStream raw = Files.newOutputStream(file);
      out = new DataOutputStream(new BufferedOutputStream(raw, 64 << 10));
    }

    void add(Node node) throws IOException {
      byte[] path = LayerPath.bytes(node.path());
      out.writeByte(node.kind().code);
      out.writeShort(path.length);
      out.write(path);
      out.writeLong(node.size());
      out.writeInt(node.crc());
      out.writeLong(node.mtimeSeconds());
      out.writeInt(node.mtimeNanos());
    }

    void flush() throws IOException {
      out.flush();
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  /** Is given the records of a file in their order. */
  interface Visitor {
    void visit(Node node) throws IOException;
  }

  static void read(Path file, Visitor visitor) throws IOException {
    try (InputStream raw = Files.newInputStream(file);
        var in = new DataInputStream(new BufferedInputStream(raw, 64 << 10))) {
      int code;
      while ((code = in.read()) >= 0) {
        Kind kind = kind(file, code);
        byte[] path = in.readNBytes(in.readUnsignedShort());
        visitor.visit(
            new Node(
                kind,
                new String(path, StandardCharsets.ISO_8859_1),
                in.readLong(),
                in.readInt(),
                in.readLong(),
                in.readInt()));
      }
    } catch (EOFException e) {
      throw new JrtException(
          ErrorKind.DATA_LOSS, "verify layer", "the list of a layer's files is cut: " + file, e);
    }
  }

  private static Kind kind(Path file, int code) {
    for (Kind kind : Kind.values()) {
      if (kind.code == code) {
        return kind;
      }
    }
    throw damaged(file);
  }

  private static JrtException damaged(Path file) {
    return new JrtException(
        ErrorKind.DATA_LOSS, "verify layer", "the list of a layer's files is damaged: " + file);
  }
}
