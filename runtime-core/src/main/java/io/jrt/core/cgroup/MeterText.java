package io.jrt.core.cgroup;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.jrt.core.Psi;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The content of one cgroup file after another, taken apart where it lies: statistics are read for
 * a hundred containers at a time, and most of what the files say is not wanted.
 */
final class MeterText {
  private static final int FIRST_SIZE = 8 << 10;
  private static final Psi.Share NO_SHARE = new Psi.Share(0, 0, 0, 0);

  private byte[] bytes = new byte[FIRST_SIZE];
  private int length;
  private int at;

  /** Receives the words of a line that begins with a device's numbers. */
  @FunctionalInterface
  interface DeviceLine {
    void words(int major, int minor);
  }

  ByteBuffer space() {
    return ByteBuffer.wrap(bytes);
  }

  /** Takes note of how much was read; true when there may be more than there was space for. */
  boolean filled(int count) {
    length = Math.max(0, count);
    at = 0;
    return length == bytes.length;
  }

  void grow() {
    bytes = new byte[bytes.length * 2];
  }

  MeterText empty() {
    length = 0;
    at = 0;
    return this;
  }

  boolean isEmpty() {
    return length == 0;
  }

  /** The file is one number; 0 for {@code max} and for nothing. */
  long number() {
    return limit().orElse(0);
  }

  /** The file is one number or {@code max}; what v1 shows for no limit is none. */
  OptionalLong limit() {
    at = 0;
    if (!atDigit()) {
      return OptionalLong.empty();
    }
    long value = digits();
    return value < 0 || value >= FlatKeyed.V1_UNLIMITED
        ? OptionalLong.empty()
        : OptionalLong.of(value);
  }

  /** The numbers behind these keys at the beginning of lines; 0 for one that is not there. */
  long[] values(Keys keys) {
    long[] found = new long[keys.names.length];
    for (at = 0; at < length; nextLine()) {
      int start = at;
      toSpace();
      int key = keys.find(bytes, start, at);
      if (key >= 0) {
        at++;
        found[key] = digits();
      }
    }
    return found;
  }

  /** The two lines of a pressure file; that of the cpu of the root has no full line. */
  Optional<Psi> pressure() {
    if (length == 0) {
      return Optional.empty();
    }
    Psi.Share some = NO_SHARE;
    Psi.Share full = NO_SHARE;
    for (at = 0; at < length; nextLine()) {
      boolean isSome = bytes[at] == 's';
      double avg10 = decimal();
      double avg60 = decimal();
      double avg300 = decimal();
      toByte('=');
      Psi.Share share = new Psi.Share(digits(), avg10, avg60, avg300);
      if (isSome) {
        some = share;
      } else {
        full = share;
      }
    }
    return Optional.of(new Psi(some, full));
  }

  /** io.stat of v2: {@code major:minor name=value…}. */
  List<CgroupStats.BlockDevice> ioStat() {
    List<CgroupStats.BlockDevice> devices = new ArrayList<>();
    for (at = 0; at < length; nextLine()) {
      if (!atDigit()) {
        continue;
      }
      int major = (int) digits();
      at++;
      int minor = (int) digits();
      long[] values = new long[4];
      while (at < length && bytes[at] == ' ') {
        int name = ++at;
        toByte('=');
        int which = IO.find(bytes, name, at - 1);
        long value = digits();
        if (which >= 0) {
          values[which] = value;
        }
        toSpace();
      }
      devices.add(
          new CgroupStats.BlockDevice(major, minor, values[0], values[1], values[2], values[3]));
    }
    return devices;
  }

  private static final Keys IO = Keys.of("rbytes", "wbytes", "rios", "wios");

  /** A throttle file of v1, lines of {@code major:minor Operation number}: reads and writes. */
  List<Operations> operations() {
    List<Operations> devices = new ArrayList<>();
    for (at = 0; at < length; nextLine()) {
      if (!atDigit()) {
        continue;
      }
      int major = (int) digits();
      at++;
      int minor = (int) digits();
      int word = ++at;
      toSpace();
      // Sync, Async, Discard and Total cut the same another way.
      boolean read = is("Read", word);
      boolean write = is("Write", word);
      at++;
      long value = digits();
      if (read) {
        devices.add(new Operations(major, minor, value, 0));
      } else if (write && !devices.isEmpty()) {
        Operations last = devices.removeLast();
        devices.add(new Operations(last.major(), last.minor(), last.reads(), value));
      }
    }
    return devices;
  }

  /** What a v1 throttle file counts of one device. */
  record Operations(int major, int minor, long reads, long writes) {}

  private boolean is(String word, int from) {
    if (at - from != word.length()) {
      return false;
    }
    for (int i = 0; i < word.length(); i++) {
      if (bytes[from + i] != word.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private boolean atDigit() {
    return at < length && bytes[at] >= '0' && bytes[at] <= '9';
  }

  private long digits() {
    long value = 0;
    for (; atDigit(); at++) {
      value = value * 10 + (bytes[at] - '0');
    }
    return value;
  }

  /** The number behind the next equals sign, with two digits behind its point. */
  private double decimal() {
    toByte('=');
    long value = digits();
    if (at < length && bytes[at] == '.') {
      int point = at++;
      long fraction = digits();
      double scale = 1;
      for (int i = point + 1; i < at; i++) {
        scale *= 10;
      }
      return (value * scale + fraction) / scale;
    }
    return value;
  }

  /** Goes behind the next such byte. */
  private void toByte(char wanted) {
    while (at < length && bytes[at++] != wanted) {
      // Goes on.
    }
  }

  private void toSpace() {
    while (at < length && bytes[at] != ' ' && bytes[at] != '\n') {
      at++;
    }
  }

  private void nextLine() {
    while (at < length && bytes[at++] != '\n') {
      // Goes on.
    }
  }

  /** Keys to look for in a file of {@code key number} lines. */
  static final class Keys {
    private final byte[][] names;

    private Keys(byte[][] names) {
      this.names = names;
    }

    static Keys of(String... names) {
      byte[][] all = new byte[names.length][];
      for (int i = 0; i < names.length; i++) {
        all[i] = names[i].getBytes(US_ASCII);
      }
      return new Keys(all);
    }

    private int find(byte[] text, int from, int to) {
      for (int i = 0; i < names.length; i++) {
        byte[] name = names[i];
        if (name.length == to - from
            && java.util.Arrays.equals(name, 0, name.length, text, from, to)) {
          return i;
        }
      }
      return -1;
    }
  }
}
