package io.jrt.volumes;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.At;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import io.jrt.linux.FileName;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Timespec;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks a tar stream into a directory, trusting nothing in it: every name is walked part by part
 * from the directory's descriptor without following a symbolic link, {@code ..} is refused, a file
 * is always made new, and nothing that is too large for its field is taken for something else.
 */
final class TarReader {
  private static final String STEP = "import volume";
  private static final int BUFFER = 1 << 18;
  private static final int MAX_PAX = 1 << 20;
  private static final int MAX_PATH = 4096;
  private static final int MAX_PARTS = 256;

  private final Files files;
  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER];

  /** Directories get their times last: every entry made in one changes them. */
  private final List<DirectoryTime> directoryTimes = new ArrayList<>();

  private record DirectoryTime(FileName path, Timespec modified) {}

  private record Entry(
      FileName path,
      FileName link,
      char type,
      int mode,
      int uid,
      int gid,
      long size,
      Timespec modified,
      Map<String, FileName> xattrs) {}

  TarReader(Files files, InputStream in) {
    this.files = files;
    this.in = in;
  }

  void unpack(Fd root) {
    try {
      Map<String, byte[]> global = new HashMap<>();
      Map<String, byte[]> next = new HashMap<>();
      byte[] header = new byte[TarFormat.BLOCK];
      while (readHeader(header)) {
        char type = (char) (header[TarFormat.TYPE] & 0xff);
        long size = number(header, TarFormat.SIZE, TarFormat.SIZE_LENGTH);
        switch (type) {
          case TarFormat.PAX -> pax(next, bytes(size));
          case TarFormat.PAX_GLOBAL -> pax(global, bytes(size));
          case TarFormat.GNU_LONG_NAME -> next.put("path", untilNul(bytes(size)));
          case TarFormat.GNU_LONG_LINK -> next.put("linkpath", untilNul(bytes(size)));
          default -> {
            Map<String, byte[]> attributes = new HashMap<>(global);
            attributes.putAll(next);
            next.clear();
            make(root, entry(header, type, size, attributes));
          }
        }
      }
      for (DirectoryTime time : directoryTimes) {
        try (Fd dir = walk(root, parts(time.path().bytes()), false)) {
          files.utimensat(dir, new byte[0], Timespec.OMIT, time.modified(), 0);
        }
      }
      files.syncfs(root);
    } catch (EOFException e) {
      throw TarFormat.malformed("it ends in the middle of an entry");
    } catch (IOException e) {
      throw new JrtException(ErrorKind.UNAVAILABLE, STEP, "the stream broke: " + e, e);
    } catch (KernelException e) {
      ErrorKind kind = e.is(Errno.ENOSPC, Errno.EDQUOT) ? ErrorKind.NO_SPACE : ErrorKind.INVALID;
      throw new JrtException(kind, STEP, "cannot unpack: " + e.getMessage(), e);
    }
  }

  // Reading --------------------------------------------------------------------------------------

  /** False at the end: a block of zeros, or the stream's end between entries. */
  private boolean readHeader(byte[] header) throws IOException {
    int read = in.readNBytes(header, 0, header.length);
    if (read == 0) {
      return false;
    }
    if (read < header.length) {
      throw new EOFException();
    }
    boolean zero = true;
    for (byte b : header) {
      zero &= b == 0;
    }
    if (zero) {
      return false;
    }
    if (number(header, TarFormat.CHECKSUM, 8) != TarFormat.checksum(header)) {
      throw TarFormat.malformed("a header has a wrong checksum");
    }
    return true;
  }

  private byte[] bytes(long size) throws IOException {
    if (size > MAX_PAX) {
      throw TarFormat.malformed("an extended header has %d bytes".formatted(size));
    }
    byte[] bytes = in.readNBytes((int) size);
    if (bytes.length < size) {
      throw new EOFException();
    }
    in.skipNBytes(TarFormat.padded(size) - size);
    return bytes;
  }

  private static void pax(Map<String, byte[]> attributes, byte[] body) {
    int at = 0;
    while (at < body.length) {
      int blank = at;
      while (blank < body.length && body[blank] != ' ') {
        blank++;
      }
      long length = decimal(new String(body, at, blank - at, ISO_8859_1));
      if (length < blank - at + 3
          || length > body.length - at
          || body[(int) (at + length - 1)] != '\n') {
        throw TarFormat.malformed("an extended header has a record of a wrong length");
      }
      int end = (int) (at + length - 1);
      int equals = blank + 1;
      while (equals < end && body[equals] != '=') {
        equals++;
      }
      if (equals == end) {
        throw TarFormat.malformed("an extended header has a record without \"=\"");
      }
      attributes.put(
          new String(body, blank + 1, equals - blank - 1, UTF_8),
          Arrays.copyOfRange(body, equals + 1, end));
      at = end + 1;
    }
  }

  private static Entry entry(
      byte[] header, char type, long headerSize, Map<String, byte[]> attributes) {
    byte[] path = attributes.get("path");
    if (path == null) {
      path = ustarPath(header);
    }
    byte[] link = attributes.get("linkpath");
    if (link == null) {
      link = field(header, TarFormat.LINK, TarFormat.NAME_LENGTH);
    }
    Map<String, FileName> xattrs = new HashMap<>();
    attributes.forEach(
        (key, value) -> {
          if (key.startsWith(TarFormat.XATTR_PREFIX)) {
            xattrs.put(key.substring(TarFormat.XATTR_PREFIX.length()), FileName.of(value));
          }
        });
    byte[] paxSize = attributes.get("size");
    return new Entry(
        FileName.of(path),
        FileName.of(link),
        type,
        (int) number(header, TarFormat.MODE, 8) & 07777,
        id(header, TarFormat.UID, attributes.get("uid")),
        id(header, TarFormat.GID, attributes.get("gid")),
        paxSize == null ? headerSize : decimal(new String(paxSize, ISO_8859_1)),
        time(header, attributes.get("mtime")),
        xattrs);
  }

  private static byte[] ustarPath(byte[] header) {
    byte[] name = field(header, TarFormat.NAME, TarFormat.NAME_LENGTH);
    boolean ustar = new String(header, TarFormat.MAGIC, 6, ISO_8859_1).equals("ustar\0");
    byte[] prefix = field(header, TarFormat.PREFIX, TarFormat.PREFIX_LENGTH);
    if (!ustar || prefix.length == 0) {
      return name;
    }
    byte[] path = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
    path[prefix.length] = '/';
    System.arraycopy(name, 0, path, prefix.length + 1, name.length);
    return path;
  }

  private static byte[] field(byte[] header, int at, int length) {
    return untilNul(Arrays.copyOfRange(header, at, at + length));
  }

  private static byte[] untilNul(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return Arrays.copyOf(bytes, end);
  }

  /** Octal digits, or GNU's base 256 when the top bit is set. */
  private static long number(byte[] header, int at, int length) {
    if ((header[at] & 0x80) != 0) {
      long value = header[at] & 0x3f;
      for (int i = at + 1; i < at + length; i++) {
        if (value > Long.MAX_VALUE >> 8) {
          throw TarFormat.malformed("a number is too large");
        }
        value = value << 8 | (header[i] & 0xff);
      }
      if ((header[at] & 0x40) != 0) {
        throw TarFormat.malformed("a number is negative");
      }
      return value;
    }
    long value = 0;
    boolean digits = false;
    for (int i = at; i < at + length; i++) {
      byte b = header[i];
      if (b >= '0' && b <= '7') {
        value = value << 3 | (b - '0');
        digits = true;
      } else if (b == 0 || b == ' ') {
        if (digits) {
          break;
        }
      } else {
        throw TarFormat.malformed("a number has a digit that is not octal");
      }
    }
    return value;
  }

  private static long decimal(String digits) {
    if (digits.isEmpty()
        || digits.length() > 18
        || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw TarFormat.malformed(
          "\"%s\" is not a number".formatted(digits.length() > 32 ? "…" : digits));
    }
    return Long.parseLong(digits);
  }

  private static int id(byte[] header, int at, byte @Nullable [] pax) {
    long id = pax == null ? number(header, at, 8) : decimal(new String(pax, ISO_8859_1));
    if (id > 0xffff_fffeL) {
      throw TarFormat.malformed("owner %d is too large".formatted(id));
    }
    return (int) id;
  }

  private static Timespec time(byte[] header, byte @Nullable [] pax) {
    if (pax == null) {
      return new Timespec(number(header, TarFormat.MTIME, 12), 0);
    }
    String text = new String(pax, ISO_8859_1);
    if (!text.matches("-?\\d{1,12}(\\.\\d{1,18})?")) {
      throw TarFormat.malformed("a time is malformed");
    }
    BigDecimal time = new BigDecimal(text);
    long seconds = time.setScale(0, RoundingMode.FLOOR).longValueExact();
    int nanos = time.subtract(BigDecimal.valueOf(seconds)).movePointRight(9).intValue();
    return new Timespec(seconds, nanos);
  }

  // Making ---------------------------------------------------------------------------------------

  private void make(Fd root, Entry entry) throws IOException {
    List<byte[]> parts = parts(entry.path().bytes());
    boolean hasContent =
        entry.type() == TarFormat.REGULAR
            || entry.type() == 0
            || entry.type() == TarFormat.CONTIGUOUS;
    if (!hasContent && entry.size() > 0) {
      in.skipNBytes(TarFormat.padded(entry.size()));
    }
    if (parts.isEmpty()) {
      if (entry.type() != TarFormat.DIRECTORY) {
        throw TarFormat.malformed("an entry without a name is no directory");
      }
      own(root, entry);
      return;
    }
    byte[] name = parts.getLast();
    try (Fd dir = walk(root, parts.subList(0, parts.size() - 1), true)) {
      switch (entry.type()) {
        case TarFormat.DIRECTORY -> directory(dir, name, entry);
        case TarFormat.REGULAR, 0, TarFormat.CONTIGUOUS -> {
          if (entry.type() == 0 && endsWithSlash(entry.path().bytes())) {
            directory(dir, name, entry);
          } else {
            file(dir, name, entry);
          }
        }
        case TarFormat.SYMLINK -> {
          clear(dir, name);
          files.symlinkat(entry.link().bytes(), dir, name);
          files.fchownat(dir, name, entry.uid(), entry.gid(), At.AT_SYMLINK_NOFOLLOW);
          files.utimensat(dir, name, Timespec.OMIT, entry.modified(), At.AT_SYMLINK_NOFOLLOW);
        }
        case TarFormat.HARD_LINK -> hardLink(root, dir, name, entry);
        case TarFormat.FIFO -> {
          clear(dir, name);
          files.mknodat(dir, name, FileMode.S_IFIFO | entry.mode(), 0);
          files.fchownat(dir, name, entry.uid(), entry.gid(), At.AT_SYMLINK_NOFOLLOW);
        }
        case TarFormat.CHARACTER_DEVICE, TarFormat.BLOCK_DEVICE ->
            throw new JrtException(
                ErrorKind.DENIED,
                STEP,
                "%s is a device, which a volume's tar may not bring".formatted(entry.path()));
        default ->
            throw TarFormat.malformed(
                "%s is of unknown type %d".formatted(entry.path(), (int) entry.type()));
      }
    }
  }

  private static boolean endsWithSlash(byte[] path) {
    return path.length > 0 && path[path.length - 1] == '/';
  }

  private void directory(Fd dir, byte[] name, Entry entry) {
    try (Fd made = walk(dir, List.of(name), true)) {
      own(made, entry);
    }
    directoryTimes.add(new DirectoryTime(entry.path(), entry.modified()));
  }

  private void file(Fd dir, byte[] name, Entry entry) throws IOException {
    clear(dir, name);
    int flags = OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_NOFOLLOW;
    try (Fd file = files.openat(dir, name, flags, 0600)) {
      long left = entry.size();
      while (left > 0) {
        int read = in.readNBytes(buffer, 0, (int) Math.min(buffer.length, left));
        if (read == 0) {
          throw new EOFException();
        }
        files.writeFully(file, ByteBuffer.wrap(buffer, 0, read));
        left -= read;
      }
      in.skipNBytes(TarFormat.padded(entry.size()) - entry.size());
      own(file, entry);
      files.utimensat(file, new byte[0], Timespec.OMIT, entry.modified(), 0);
    }
  }

  private void hardLink(Fd root, Fd dir, byte[] name, Entry entry) {
    List<byte[]> target = parts(entry.link().bytes());
    if (target.isEmpty()) {
      throw TarFormat.malformed("a hard link leads to the volume's root");
    }
    try (Fd from = walk(root, target.subList(0, target.size() - 1), false)) {
      clear(dir, name);
      // Without AT_SYMLINK_FOLLOW the link itself is linked, never what it points to.
      files.linkat(from, target.getLast(), dir, name, 0);
    }
  }

  private void own(Fd file, Entry entry) {
    files.fchown(file, entry.uid(), entry.gid());
    files.fchmod(file, entry.mode());
    entry.xattrs().forEach((key, value) -> xattr(file, key, value.bytes()));
  }

  private void xattr(Fd file, String key, byte[] value) {
    // overlayfs' own marks would turn files into whiteouts for whoever stacks the volume
    if (key.startsWith("trusted.overlay.") || key.startsWith("user.overlay.")) {
      throw TarFormat.malformed("extended attribute %s is overlayfs' own".formatted(key));
    }
    try {
      files.fsetxattr(file, key, value);
    } catch (KernelException e) {
      if (!e.is(Errno.EOPNOTSUPP)) {
        throw e;
      }
    }
  }

  /** Makes room for an entry: what had the name goes, but a directory only when it is empty. */
  private void clear(Fd dir, byte[] name) {
    try {
      files.unlinkIfPresent(dir, name, 0);
    } catch (KernelException e) {
      if (!e.is(Errno.EISDIR)) {
        throw e;
      }
      files.unlinkIfPresent(dir, name, At.AT_REMOVEDIR);
    }
  }

  private static List<byte[]> parts(byte[] path) {
    if (path.length > MAX_PATH) {
      throw TarFormat.malformed("a name has %d bytes".formatted(path.length));
    }
    List<byte[]> parts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length; i++) {
      if (i == path.length || path[i] == '/') {
        byte[] part = Arrays.copyOfRange(path, start, i);
        start = i + 1;
        if (part.length == 0 || Arrays.equals(part, new byte[] {'.'})) {
          continue;
        }
        if (Arrays.equals(part, new byte[] {'.', '.'})) {
          throw TarFormat.malformed(
              "name \"%s\" has a part \"..\"".formatted(new String(path, UTF_8)));
        }
        parts.add(part);
      } else if (path[i] == 0) {
        throw TarFormat.malformed("a name has a NUL");
      }
    }
    if (parts.size() > MAX_PARTS) {
      throw TarFormat.malformed("a name has %d parts".formatted(parts.size()));
    }
    return parts;
  }

  /** Opens the directory at these parts, each a real directory and not a link. */
  private Fd walk(Fd root, List<byte[]> parts, boolean create) {
    Fd at = files.dup(root);
    try {
      for (byte[] part : parts) {
        if (create) {
          files.mkdirIfAbsent(at, part, 0755);
        }
        int flags = OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW;
        int resolve =
            OpenHow.RESOLVE_BENEATH | OpenHow.RESOLVE_NO_SYMLINKS | OpenHow.RESOLVE_NO_XDEV;
        Fd next = files.openat2(at, part, new OpenHow(flags, 0, resolve));
        at.close();
        at = next;
      }
      return at;
    } catch (Throwable e) {
      at.close();
      throw e;
    }
  }
}
