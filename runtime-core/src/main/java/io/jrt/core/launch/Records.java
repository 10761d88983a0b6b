package io.jrt.core.launch;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The one-line records of jrt-init: numbers separated by blanks. */
final class Records {
  static final String KEEPER = "keeper";
  static final String INIT = "init";
  static final String EXIT = "exit";

  /** Holds the place of {@link #EXIT} until the end. */
  static final String EXIT_TO_BE = "exit.tmp";

  static final String LOCK = "lock";
  static final String CONTROL = "control";

  private static final long NANOS_PER_MICRO = 1000;
  private static final long BYTES_PER_KIB = 1024;

  private Records() {}

  /**
   * A process that cannot be mistaken for a later one of the same pid.
   *
   * @param start in clock ticks since boot
   */
  record Identity(int pid, long start) {
    static Identity parse(String line) {
      long[] n = numbers(line, 2);
      return new Identity((int) n[0], n[1]);
    }
  }

  /**
   * A process that was started, and which descriptors of its parent belong to it; -1 for none.
   *
   * @param clamped bits: 0 oom score, 1 capabilities, 2 and on the rlimits
   */
  record Started(
      Identity process, int stdin, int stdout, int stderr, int terminal, int done, int clamped) {
    static Started parse(String line) {
      long[] n = numbers(line, 8);
      return new Started(
          new Identity((int) n[0], n[1]),
          (int) n[2],
          (int) n[3],
          (int) n[4],
          (int) n[5],
          (int) n[6],
          (int) n[7]);
    }
  }

  static ExitRecord parseExit(String line) {
    long[] n = numbers(line, 8);
    return new ExitRecord(
        (int) n[0],
        (int) n[1],
        n[2] != 0,
        Instant.ofEpochSecond(n[3], n[4]),
        Duration.ofNanos(n[5] * NANOS_PER_MICRO),
        Duration.ofNanos(n[6] * NANOS_PER_MICRO),
        n[7] * BYTES_PER_KIB);
  }

  /** A record of the keeper's directory, if it is there. */
  static Optional<String> read(Files files, Fd directory, String name) {
    try {
      return Optional.of(files.readString(directory, name));
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static long[] numbers(String line, int count) {
    String[] words = line.strip().split(" ", -1);
    long[] numbers = new long[count];
    if (words.length != count) {
      throw malformed(line, null);
    }
    try {
      for (int i = 0; i < count; i++) {
        numbers[i] = Long.parseLong(words[i]);
      }
    } catch (NumberFormatException e) {
      throw malformed(line, e);
    }
    return numbers;
  }

  private static JrtException malformed(String line, @Nullable Throwable cause) {
    return new JrtException(
        ErrorKind.DATA_LOSS, "read keeper record", "not a record: \"" + line + '"', cause);
  }
}
