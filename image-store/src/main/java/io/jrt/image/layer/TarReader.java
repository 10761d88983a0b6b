package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a tar: ustar, PAX records, GNU long names, base-256 numbers. Sparse files are refused,
 * since no image tool writes them. Extension headers are bounded, so memory is too.
 */
final class TarReader {
  private static final int BLOCK = 512;
  private static final int MAX_EXTENSION = 1 << 20;
  private static final int MAX_NAME = 4096;
  private static final int MAX_XATTRS = 256;
  private static final String SCHILY_XATTR = "SCHILY.xattr.";
  private static final String LIBARCHIVE_XATTR = "LIBARCHIVE.xattr.";

  /** A tar's bytes, that can also be had without a copy. */
  abstract static class Source extends InputStream {
    /** Some of the next bytes, valid until the next call; null at the end. */
    abstract @Nullable ByteBuffer piece(int most) throws IOException;
  }

  private final Source in;
  private final byte[] header = new byte[BLOCK];
  private long contentLeft;
  private int padding;

  TarReader(Source in) {
    this.in = in;
  }

  /** The next entry; what was not read of the last one's content is skipped. Empty at the end. */
  Optional<TarEntry> next() throws IOException {
    skip(contentLeft + padding);
    contentLeft = 0;
    padding = 0;
    Map<String, byte[]> pax = Map.of();
    String longName = null;
    String longLink = null;
    int extensions = 0;
    while (true) {
      if (!readHeader()) {
        return Optional.empty();
      }
      checkSum();
      if (++extensions > 8) {
        throw invalid("an entry has more than 8 extension headers");
      }
      char flag = (char) (header[156] & 0xff);
      switch (flag) {
        case 'x' -> pax = paxRecords(extension());
        // Global records would silently change every later entry; images have no use for them.
        case 'g' -> extension();
        case 'L' -> longName = cString(extension());
        case 'K' -> longLink = cString(extension());
        default -> {
          return Optional.of(entry(flag, pax, longName, longLink));
        }
      }
    }
  }

  /**
   * The next piece of the entry's content, where it lies; it is the reader's again with the next
   * call of any method.
   *
   * @return null at the end of the content
   */
  @Nullable ByteBuffer content() throws IOException {
    if (contentLeft == 0) {
      return null;
    }
    ByteBuffer piece = in.piece((int) Math.min(Integer.MAX_VALUE, contentLeft));
    if (piece == null) {
      throw truncated();
    }
    contentLeft -= piece.remaining();
    return piece;
  }

  /** Reads to the end, so that what comes after the tar's end mark is hashed too. */
  void drain() throws IOException {
    byte[] scratch = new byte[64 << 10];
    while (in.read(scratch, 0, scratch.length) >= 0) {
      // Only the digest wants these bytes.
    }
  }

  private TarEntry entry(
      char flag, Map<String, byte[]> pax, @Nullable String longName, @Nullable String longLink) {
    for (String key : pax.keySet()) {
      if (key.startsWith("GNU.sparse.")) {
        throw invalid("sparse files are not supported in layers");
      }
    }
    boolean ustar =
        header[257] == 'u'
            && header[258] == 's'
            && header[259] == 't'
            && header[260] == 'a'
            && header[261] == 'r'
            && header[262] == 0;
    String name = paxText(pax, "path", longName);
    if (name == null) {
      name = field(0, 100);
      String prefix = ustar ? field(345, 155) : "";
      name = prefix.isEmpty() ? name : prefix + "/" + name;
    }
    String linkName = paxText(pax, "linkpath", longLink);
    if (linkName == null) {
      linkName = field(157, 100);
    }
    if (name.length() > MAX_NAME || linkName.length() > MAX_NAME) {
      throw invalid("a name is longer than " + MAX_NAME + " bytes");
    }
    TarEntry.Type type =
        switch (flag) {
          case '0', 0, '7' -> name.endsWith("/") ? TarEntry.Type.DIRECTORY : TarEntry.Type.FILE;
          case '1' -> TarEntry.Type.HARD_LINK;
          case '2' -> TarEntry.Type.SYMLINK;
          case '3' -> TarEntry.Type.CHAR_DEVICE;
          case '4' -> TarEntry.Type.BLOCK_DEVICE;
          case '5' -> TarEntry.Type.DIRECTORY;
          case '6' -> TarEntry.Type.FIFO;
          case 'S' -> throw invalid("sparse files are not supported in layers");
          default -> throw invalid("an entry has the unknown type '" + printable(flag) + "'");
        };
    long size = paxNumber(pax, "size", number(124, 12));
    if (size < 0) {
      throw invalid("an entry has a negative size");
    }
    // Some writers give links and directories the size of what they stand for; no bytes follow.
    if (type == TarEntry.Type.FILE) {
      contentLeft = size;
      padding = (int) (-size & (BLOCK - 1));
    } else {
      size = 0;
    }
    long uid = paxNumber(pax, "uid", number(108, 8));
    long gid = paxNumber(pax, "gid", number(116, 8));
    if (uid < 0 || gid < 0 || uid >= 0xffffffffL || gid >= 0xffffffffL) {
      throw invalid("an entry has an owner outside of 32 bits");
    }
    long seconds = number(136, 12);
    int nanos = 0;
    byte[] mtime = pax.get("mtime");
    if (mtime != null) {
      String text = new String(mtime, StandardCharsets.ISO_8859_1);
      int dot = text.indexOf('.');
      seconds = decimal(dot < 0 ? text : text.substring(0, dot));
      nanos = dot < 0 ? 0 : nanos(text.substring(dot + 1));
      if (text.startsWith("-") && nanos > 0) {
        seconds--;
        nanos = 1_000_000_000 - nanos;
      }
    }
    return new TarEntry(
        name,
        type,
        linkName,
        (int) (number(100, 8) & 07777),
        uid,
        gid,
        size,
        seconds,
        nanos,
        number(329, 8),
        number(337, 8),
        xattrs(pax));
  }

  private static Map<String, byte[]> xattrs(Map<String, byte[]> pax) {
    if (pax.isEmpty()) {
      return Map.of();
    }
    Map<String, byte[]> xattrs = new LinkedHashMap<>();
    pax.forEach(
        (key, value) -> {
          if (key.startsWith(SCHILY_XATTR)) {
            xattrs.put(key.substring(SCHILY_XATTR.length()), value);
          } else if (key.startsWith(LIBARCHIVE_XATTR)) {
            try {
              xattrs.putIfAbsent(
                  percentDecoded(key.substring(LIBARCHIVE_XATTR.length())),
                  Base64.getMimeDecoder().decode(value));
            } catch (IllegalArgumentException e) {
              throw new JrtException(
                  ErrorKind.INVALID, "unpack layer", "an extended attribute is no base64", e);
            }
          }
        });
    if (xattrs.size() > MAX_XATTRS) {
      throw invalid("an entry has more than " + MAX_XATTRS + " extended attributes");
    }
    return xattrs;
  }

  private byte[] extension() throws IOException {
    long size = number(124, 12);
    if (size < 0 || size > MAX_EXTENSION) {
      throw invalid("an extension header is larger than " + MAX_EXTENSION + " bytes");
    }
    byte[] bytes = in.readNBytes((int) size);
    if (bytes.length < size) {
      throw truncated();
    }
    skip(-size & (BLOCK - 1));
    return bytes;
  }

  /** {@code "%d key=value\n"}, the number counting the whole record. */
  private static Map<String, byte[]> paxRecords(byte[] bytes) {
    var records = new HashMap<String, byte[]>();
    int at = 0;
    while (at < bytes.length) {
      int space = at;
      int length = 0;
      while (space < bytes.length
          && bytes[space] >= '0'
          && bytes[space] <= '9'
          && length <= MAX_EXTENSION) {
        length = length * 10 + (bytes[space] - '0');
        space++;
      }
      int end = at + length;
      if (space == at
          || space >= bytes.length
          || bytes[space] != ' '
          || length > bytes.length
          || end > bytes.length
          || end <= space + 1
          || bytes[end - 1] != '\n') {
        throw invalid("a PAX record has a wrong length");
      }
      int equals = space + 1;
      while (equals < end && bytes[equals] != '=') {
        equals++;
      }
      if (equals == end || equals == space + 1) {
        throw invalid("a PAX record has no key or no value");
      }
      String key = new String(bytes, space + 1, equals - space - 1, StandardCharsets.ISO_8859_1);
      byte[] value = java.util.Arrays.copyOfRange(bytes, equals + 1, end - 1);
      if (value.length == 0) {
        records.remove(key);
      } else {
        records.put(key, value);
      }
      at = end;
    }
    return records;
  }

  private static @Nullable String paxText(
      Map<String, byte[]> pax, String key, @Nullable String other) {
    byte[] value = pax.get(key);
    if (value == null) {
      return other;
    }
    String text = new String(value, StandardCharsets.ISO_8859_1);
    if (text.indexOf('\0') >= 0) {
      throw invalid("a name holds a NUL");
    }
    return text;
  }

  private static long paxNumber(Map<String, byte[]> pax, String key, long other) {
    byte[] value = pax.get(key);
    return value == null ? other : decimal(new String(value, StandardCharsets.ISO_8859_1));
  }

  private static long decimal(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new JrtException(
          ErrorKind.INVALID, "unpack layer", "a PAX record holds a number that is none", e);
    }
  }

  private static int nanos(String fraction) {
    int nanos = 0;
    for (int i = 0; i < 9; i++) {
      int digit = i < fraction.length() ? fraction.charAt(i) - '0' : 0;
      if (digit < 0 || digit > 9) {
        throw invalid("a PAX record holds a time that is none");
      }
      nanos = nanos * 10 + digit;
    }
    return nanos;
  }

  /** A number of the header: octal, or base 256 when the first bit is set. */
  private long number(int offset, int length) {
    if ((header[offset] & 0x80) != 0) {
      long value = (header[offset] & 0x40) != 0 ? -1 : 0;
      for (int i = 0; i < length; i++) {
        int bits = header[offset + i] & (i == 0 ? 0x7f : 0xff);
        if (i == 0 && value < 0) {
          bits |= 0x80;
        }
        if (value > (Long.MAX_VALUE >> 8) || value < (Long.MIN_VALUE >> 8)) {
          throw invalid("a number of a header does not fit 64 bits");
        }
        value = (value << 8) | bits;
      }
      return value;
    }
    long value = 0;
    boolean digits = false;
    for (int i = 0; i < length; i++) {
      int c = header[offset + i];
      if (c >= '0' && c <= '7') {
        value = (value << 3) | (c - '0');
        digits = true;
      } else if (c == 0 || (c == ' ' && digits)) {
        break;
      } else if (c != ' ') {
        throw invalid("a number of a header is not octal");
      }
    }
    return value;
  }

  private boolean readHeader() throws IOException {
    int have = in.readNBytes(header, 0, BLOCK);
    if (have == 0) {
      // Tars without the two empty blocks at the end exist; both digests tell if one was cut.
      return false;
    }
    if (have < BLOCK) {
      throw truncated();
    }
    for (byte b : header) {
      if (b != 0) {
        return true;
      }
    }
    return false;
  }

  private void checkSum() {
    int unsigned = 0;
    int signed = 0;
    for (int i = 0; i < BLOCK; i++) {
      byte b = i >= 148 && i < 156 ? (byte) ' ' : header[i];
      unsigned += b & 0xff;
      signed += b;
    }
    long stored = number(148, 8);
    if (stored != unsigned && stored != signed) {
      throw invalid("a header has a wrong checksum: this is no tar, or it is damaged");
    }
  }

  private String field(int offset, int length) {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    return new String(header, offset, end - offset, StandardCharsets.ISO_8859_1);
  }

  private static String cString(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.ISO_8859_1);
  }

  private void skip(long count) throws IOException {
    try {
      in.skipNBytes(count);
    } catch (EOFException e) {
      throw truncated();
    }
  }

  private static String percentDecoded(String text) {
    if (text.indexOf('%') < 0) {
      return text;
    }
    var decoded = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '%' && i + 2 < text.length()) {
        int high = Character.digit(text.charAt(i + 1), 16);
        int low = Character.digit(text.charAt(i + 2), 16);
        if (high >= 0 && low >= 0) {
          decoded.append((char) (high << 4 | low));
          i += 2;
          continue;
        }
      }
      decoded.append(text.charAt(i));
    }
    return decoded.toString();
  }

  private static String printable(char c) {
    return c > ' ' && c < 127 ? String.valueOf(c) : String.format("\\x%02x", (int) c);
  }

  private static EOFException truncated() {
    return new EOFException("the tar ends in the middle of an entry");
  }

  private static JrtException invalid(String why) {
    return new JrtException(ErrorKind.INVALID, "unpack layer", why);
  }
}
