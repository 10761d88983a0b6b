package io.jrt.core.device;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The cache in which glibc's loader looks for libraries ({@code /etc/ld.so.cache}), in its format
 * 1.1. The node's is read to find a driver; a container's is written anew with the libraries that
 * its devices bring along, so that no {@code ldconfig} has to run in it.
 *
 * @param entries in no special order
 */
record LoaderCache(List<Entry> entries) {
  static final LoaderCache EMPTY = new LoaderCache(List.of());

  private static final byte[] MAGIC = "glibc-ld.so.cache1.1".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] OLD_MAGIC = "ld.so-1.7.0".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 48;
  private static final int ENTRY = 24;
  private static final int OLD_HEADER = 16;
  private static final int OLD_ENTRY = 12;
  private static final int LITTLE_ENDIAN = 2;
  private static final int MOST_ENTRIES = 1 << 18;

  /** A 64-bit library of this processor family, for glibc 2 and later. */
  private static final int FLAGS_X86_64 = 0x0303;

  private static final int FLAGS_AARCH64 = 0x0a03;

  /**
   * A library.
   *
   * @param flags kind and processor
   * @param hwcap what the processor must be able to do; 0 for nothing special
   */
  record Entry(String name, String path, int flags, long hwcap) {
    /** One that a program of this library's machine finds. */
    static Entry of(String name, String path, int machine) {
      return new Entry(name, path, machine == ElfFile.AARCH64 ? FLAGS_AARCH64 : FLAGS_X86_64, 0);
    }

    boolean is64Bit() {
      return flags == FLAGS_X86_64 || flags == FLAGS_AARCH64;
    }
  }

  LoaderCache {
    entries = List.copyOf(entries);
  }

  /** Reads a cache; what is none, or is damaged, has no entries. It may come from an image. */
  static LoaderCache parse(byte[] content) {
    int start = 0;
    if (startsWith(content, 0, OLD_MAGIC) && content.length >= OLD_HEADER) {
      ByteBuffer old = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
      long end = OLD_HEADER + Integer.toUnsignedLong(old.getInt(12)) * OLD_ENTRY;
      start = (int) Math.min((end + 7) / 8 * 8, content.length);
    }
    if (!startsWith(content, start, MAGIC) || content.length - start < HEADER) {
      return EMPTY;
    }
    ByteBuffer cache =
        ByteBuffer.wrap(content, start, content.length - start)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    long count = Integer.toUnsignedLong(cache.getInt(20));
    if (count > MOST_ENTRIES || HEADER + count * ENTRY > cache.limit()) {
      return EMPTY;
    }
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = HEADER + i * ENTRY;
      String name = text(cache, cache.getInt(at + 4));
      String path = text(cache, cache.getInt(at + 8));
      if (!name.isEmpty() && !path.isEmpty()) {
        entries.add(new Entry(name, path, cache.getInt(at), cache.getLong(at + 16)));
      }
    }
    return new LoaderCache(entries);
  }

  private static boolean startsWith(byte[] content, int at, byte[] magic) {
    if (at < 0 || content.length - at < magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if (content[at + i] != magic[i]) {
        return false;
      }
    }
    return true;
  }

  private static String text(ByteBuffer cache, int offset) {
    if (offset < 0 || offset >= cache.limit()) {
      return "";
    }
    int end = offset;
    while (end < cache.limit() && cache.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - offset];
    cache.get(offset, bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /**
   * The same with these libraries before all others of their names. Variants for special processors
   * are left out: the loader then takes the plain one, which always works.
   */
  LoaderCache with(List<Entry> more) {
    List<Entry> all = new ArrayList<>(more);
    for (Entry entry : entries) {
      boolean replaced =
          more.stream().anyMatch(m -> m.name.equals(entry.name) && m.flags == entry.flags);
      if (entry.hwcap == 0 && !replaced) {
        all.add(entry);
      }
    }
    return new LoaderCache(all);
  }

  /** The file's content. */
  byte[] bytes() {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort((a, b) -> compare(b.name, a.name)); // the loader searches from the greatest down
    ByteArrayOutputStream texts = new ByteArrayOutputStream();
    int textStart = HEADER + sorted.size() * ENTRY;
    ByteBuffer head = ByteBuffer.allocate(textStart).order(ByteOrder.LITTLE_ENDIAN);
    head.position(HEADER);
    for (Entry entry : sorted) {
      head.putInt(entry.flags);
      head.putInt(textStart + append(texts, entry.name));
      head.putInt(textStart + append(texts, entry.path));
      head.putInt(0).putLong(entry.hwcap);
    }
    head.put(0, MAGIC);
    head.putInt(20, sorted.size()).putInt(24, texts.size()).put(28, (byte) LITTLE_ENDIAN);
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    content.writeBytes(head.array());
    content.writeBytes(texts.toByteArray());
    return content.toByteArray();
  }

  private static int append(ByteArrayOutputStream texts, String text) {
    int at = texts.size();
    texts.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
    texts.write(0);
    return at;
  }

  /** The loader's order: numbers in names count as numbers. */
  static int compare(String a, String b) {
    int i = 0;
    int j = 0;
    while (i < a.length()) {
      char x = a.charAt(i);
      char y = j < b.length() ? b.charAt(j) : 0;
      if (isDigit(x) && isDigit(y)) {
        int endX = endOfNumber(a, i);
        int endY = endOfNumber(b, j);
        int order = number(a, i, endX) - number(b, j, endY);
        if (order != 0) {
          return order;
        }
        i = endX;
        j = endY;
      } else if (isDigit(x)) {
        return 1;
      } else if (isDigit(y)) {
        return -1;
      } else if (x != y) {
        return x - y;
      } else {
        i++;
        j++;
      }
    }
    return j < b.length() ? -b.charAt(j) : 0;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static int endOfNumber(String text, int from) {
    int end = from;
    while (end < text.length() && isDigit(text.charAt(end))) {
      end++;
    }
    return end;
  }

  /** Overflows as the loader's arithmetic does. */
  private static int number(String text, int from, int to) {
    int value = 0;
    for (int i = from; i < to; i++) {
      value = value * 10 + text.charAt(i) - '0';
    }
    return value;
  }
}
