package io.jrt.volumes;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.At;
import io.jrt.linux.DeviceNumber;
import io.jrt.linux.DirectoryEntry;
import io.jrt.linux.Fd;
import io.jrt.linux.FileName;
import io.jrt.linux.Files;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Stat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a directory as a POSIX pax stream: owners, times to the nanosecond, hard links, extended
 * attributes. Names stay the bytes they are.
 */
final class TarWriter {
  private static final String STEP = "export volume";
  private static final int BUFFER = 1 << 18;
  private static final int MAX_DEPTH = 1024;
  private static final long MAX_OCTAL_SIZE = (1L << 33) - 1;
  private static final int MAX_OCTAL_ID = (1 << 21) - 1;

  private final Files files;
  private final OutputStream out;
  private final byte[] buffer = new byte[BUFFER];

  /** Files with several names, by the name they were written under. */
  private final Map<Inode, byte[]> linked = new HashMap<>();

  private record Inode(long device, long number) {}

  private record PaxRecord(String key, FileName value) {}

  TarWriter(Files files, OutputStream out) {
    this.files = files;
    this.out = out;
  }

  void write(Fd root) {
    try {
      byte[] top = {'.', '/'};
      header(top, files.fstat(root), TarFormat.DIRECTORY, new byte[0], 0, xattrs(root, top));
      directory(root, new byte[0], 0);
      out.write(new byte[2 * TarFormat.BLOCK]);
      out.flush();
    } catch (IOException e) {
      throw new JrtException(ErrorKind.UNAVAILABLE, STEP, "the reader went away: " + e, e);
    }
  }

  private void directory(Fd dir, byte[] prefix, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new JrtException(ErrorKind.INVALID, STEP, "the volume nests deeper than " + MAX_DEPTH);
    }
    List<DirectoryEntry> entries = new ArrayList<>(files.list(dir));
    entries.sort(Comparator.comparing(e -> e.name().toString()));
    for (DirectoryEntry entry : entries) {
      byte[] name = entry.name().bytes();
      var stat = files.statIfPresent(dir, name, At.AT_SYMLINK_NOFOLLOW);
      if (stat.isPresent()) {
        entry(dir, name, joined(prefix, name), stat.get(), depth);
      }
    }
  }

  private void entry(Fd dir, byte[] name, byte[] path, Stat stat, int depth) throws IOException {
    switch (stat.type()) {
      case DIRECTORY -> {
        byte[] slashed = joined(path, new byte[0]);
        int flags = OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW;
        try (Fd child = files.openat2(dir, name, new OpenHow(flags, 0, inside()))) {
          header(slashed, stat, TarFormat.DIRECTORY, new byte[0], 0, xattrs(child, path));
          directory(child, slashed, depth + 1);
        }
      }
      case REGULAR -> {
        if (stat.links() > 1) {
          Inode inode = new Inode(stat.device(), stat.inode());
          byte[] first = linked.putIfAbsent(inode, path);
          if (first != null) {
            header(path, stat, TarFormat.HARD_LINK, first, 0, List.of());
            return;
          }
        }
        int flags = OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW | OpenFlags.O_NONBLOCK;
        try (Fd file = files.openat2(dir, name, new OpenHow(flags, 0, inside()))) {
          Stat now = files.fstat(file);
          if (now.isRegular()) {
            header(path, now, TarFormat.REGULAR, new byte[0], now.size(), xattrs(file, path));
            content(file, path, now.size());
          }
        }
      }
      case SYMLINK ->
          header(path, stat, TarFormat.SYMLINK, files.readlinkat(dir, name), 0, List.of());
      case FIFO -> header(path, stat, TarFormat.FIFO, new byte[0], 0, List.of());
      case CHARACTER_DEVICE ->
          header(path, stat, TarFormat.CHARACTER_DEVICE, new byte[0], 0, List.of());
      case BLOCK_DEVICE -> header(path, stat, TarFormat.BLOCK_DEVICE, new byte[0], 0, List.of());
      case SOCKET, UNKNOWN -> {} // a socket is its server's, who makes it anew
    }
  }

  private static int inside() {
    return OpenHow.RESOLVE_NO_SYMLINKS | OpenHow.RESOLVE_NO_XDEV;
  }

  private List<PaxRecord> xattrs(Fd file, byte[] path) {
    List<PaxRecord> records = new ArrayList<>();
    for (String name : files.flistxattr(file)) {
      files
          .fgetxattr(file, name)
          .ifPresent(
              value ->
                  records.add(new PaxRecord(TarFormat.XATTR_PREFIX + name, FileName.of(value))));
    }
    if (records.size() > 1024) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, new String(path, UTF_8) + " has too many extended attributes");
    }
    return records;
  }

  /**
   * The size stands in the header already: a file that shrinks is filled up, one that grows cut.
   */
  private void content(Fd file, byte[] path, long size) throws IOException {
    long left = size;
    while (left > 0) {
      int read = files.read(file, buffer, 0, (int) Math.min(buffer.length, left));
      if (read <= 0) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            STEP,
            "%s shrank while it was read".formatted(new String(path, UTF_8)),
            "stop the containers that write to the volume",
            null);
      }
      out.write(buffer, 0, read);
      left -= read;
    }
    out.write(new byte[(int) (TarFormat.padded(size) - size)]);
  }

  private void header(
      byte[] path, Stat stat, char type, byte[] link, long size, List<PaxRecord> more)
      throws IOException {
    List<PaxRecord> pax = new ArrayList<>(more);
    if (path.length > TarFormat.NAME_LENGTH) {
      pax.add(new PaxRecord("path", FileName.of(path)));
    }
    if (link.length > TarFormat.NAME_LENGTH) {
      pax.add(new PaxRecord("linkpath", FileName.of(link)));
    }
    if (size > MAX_OCTAL_SIZE) {
      pax.add(text("size", Long.toString(size)));
    }
    if (Integer.toUnsignedLong(stat.uid()) > MAX_OCTAL_ID) {
      pax.add(text("uid", Integer.toUnsignedString(stat.uid())));
    }
    if (Integer.toUnsignedLong(stat.gid()) > MAX_OCTAL_ID) {
      pax.add(text("gid", Integer.toUnsignedString(stat.gid())));
    }
    long seconds = stat.modified().seconds();
    if (stat.modified().nanos() != 0 || seconds < 0 || seconds > MAX_OCTAL_SIZE) {
      pax.add(text("mtime", seconds + ".%09d".formatted(stat.modified().nanos())));
    }
    if (!pax.isEmpty()) {
      byte[] body = body(pax);
      block("pax".getBytes(UTF_8), new byte[0], TarFormat.PAX, 0644, 0, 0, body.length, 0, 0);
      out.write(body);
      out.write(new byte[(int) (TarFormat.padded(body.length) - body.length)]);
    }
    block(
        path,
        link,
        type,
        stat.permissions(),
        clamp(stat.uid()),
        clamp(stat.gid()),
        size > MAX_OCTAL_SIZE ? 0 : size,
        seconds < 0 || seconds > MAX_OCTAL_SIZE ? 0 : seconds,
        stat.rdev());
  }

  private static long clamp(int id) {
    return Integer.toUnsignedLong(id) > MAX_OCTAL_ID ? 0 : id;
  }

  private void block(
      byte[] path,
      byte[] link,
      char type,
      int mode,
      long uid,
      long gid,
      long size,
      long mtime,
      long rdev)
      throws IOException {
    byte[] header = new byte[TarFormat.BLOCK];
    System.arraycopy(path, 0, header, TarFormat.NAME, Math.min(path.length, TarFormat.NAME_LENGTH));
    octal(header, TarFormat.MODE, 8, mode);
    octal(header, TarFormat.UID, 8, uid);
    octal(header, TarFormat.GID, 8, gid);
    octal(header, TarFormat.SIZE, TarFormat.SIZE_LENGTH, size);
    octal(header, TarFormat.MTIME, 12, mtime);
    header[TarFormat.TYPE] = (byte) type;
    System.arraycopy(link, 0, header, TarFormat.LINK, Math.min(link.length, TarFormat.NAME_LENGTH));
    byte[] magic = {'u', 's', 't', 'a', 'r', 0, '0', '0'};
    System.arraycopy(magic, 0, header, TarFormat.MAGIC, magic.length);
    if (type == TarFormat.CHARACTER_DEVICE || type == TarFormat.BLOCK_DEVICE) {
      octal(header, TarFormat.MAJOR, 8, DeviceNumber.major(rdev));
      octal(header, TarFormat.MINOR, 8, DeviceNumber.minor(rdev));
    }
    octal(header, TarFormat.CHECKSUM, 7, TarFormat.checksum(header));
    header[TarFormat.CHECKSUM + 7] = ' ';
    out.write(header);
  }

  private static void octal(byte[] header, int at, int length, long value) {
    long rest = value;
    for (int i = at + length - 2; i >= at; i--) {
      header[i] = (byte) ('0' + (rest & 7));
      rest >>>= 3;
    }
    header[at + length - 1] = 0;
  }

  private static PaxRecord text(String key, String value) {
    return new PaxRecord(key, FileName.of(value));
  }

  /** "LENGTH KEY=VALUE\n", the length counting itself. */
  private static byte[] body(List<PaxRecord> records) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (PaxRecord record : records) {
      byte[] key = record.key().getBytes(UTF_8);
      byte[] value = record.value().bytes();
      int rest = 1 + key.length + 1 + value.length + 1;
      int length = rest + Integer.toString(rest).length();
      length = rest + Integer.toString(length).length();
      body.write(Integer.toString(length).getBytes(UTF_8));
      body.write(' ');
      body.write(key);
      body.write('=');
      body.write(value);
      body.write('\n');
    }
    return body.toByteArray();
  }

  /** {@code prefix/name}; with an empty name, {@code prefix/}; with an empty prefix, the name. */
  private static byte[] joined(byte[] prefix, byte[] name) {
    boolean slash = prefix.length > 0 && prefix[prefix.length - 1] != '/';
    byte[] path = new byte[prefix.length + (slash ? 1 : 0) + name.length];
    System.arraycopy(prefix, 0, path, 0, prefix.length);
    if (slash) {
      path[prefix.length] = '/';
    }
    System.arraycopy(name, 0, path, path.length - name.length, name.length);
    return path;
  }
}
