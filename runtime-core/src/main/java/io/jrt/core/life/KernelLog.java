package io.jrt.core.life;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the kernel's log ({@code /dev/kmsg}) says of processes killed for want of memory. A cgroup
 * counts its victims without naming them; the log names each.
 */
final class KernelLog {
  /** Whether a process was killed by the kernel for want of memory. */
  enum Victim {
    YES,
    NO,
    /** The log cannot be read, or does not reach back far enough. */
    UNTOLD
  }

  private static final Logger log = LoggerFactory.getLogger(KernelLog.class);

  /** The kernel writes none that is longer. */
  private static final int RECORD_BYTES = 8192;

  private static final Pattern KILLED = Pattern.compile("Killed process (\\d+) \\(");

  /** The log's clock and ours may be apart by that. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  private final Files files;
  private final Path device;

  KernelLog(Files files, Path device) {
    this.files = files;
    this.device = device;
  }

  /**
   * Asks for one process.
   *
   * @param startedAt of the process; its number may have belonged to another before
   * @param endedAt likewise
   */
  Victim victim(int pid, Instant startedAt, Instant endedAt) {
    long sinceBoot = System.nanoTime() / 1000;
    Instant now = Instant.now();
    long from = sinceBoot - micros(Duration.between(startedAt, now).plus(SLACK));
    long reach = sinceBoot - micros(Duration.between(endedAt, now).plus(SLACK));
    boolean reachesBack = false;
    boolean found = false;
    ByteBuffer record = ByteBuffer.allocateDirect(RECORD_BYTES);
    try (Fd fd = files.open(device, OpenFlags.O_RDONLY | OpenFlags.O_NONBLOCK)) {
      while (read(fd, record.clear())) {
        String line = StandardCharsets.UTF_8.decode(record.flip()).toString();
        // priority,number,microseconds,flags;text
        String[] head = line.split("[,;]", 4);
        if (head.length == 4) {
          long at = Long.parseLong(head[2]);
          reachesBack |= at < reach;
          Matcher killed = KILLED.matcher(line);
          found |= at >= from && killed.find() && Integer.parseInt(killed.group(1)) == pid;
        }
      }
    } catch (KernelException | NumberFormatException e) {
      log.debug("the kernel's log cannot be read: {}", e.getMessage());
      return Victim.UNTOLD;
    }
    if (found) {
      return Victim.YES;
    }
    return reachesBack ? Victim.NO : Victim.UNTOLD;
  }

  /** Reads the next record; false when there is none. */
  private boolean read(Fd fd, ByteBuffer record) {
    while (true) {
      try {
        return files.read(fd, record) > 0;
      } catch (KernelException e) {
        if (e.is(Errno.EAGAIN)) {
          return false;
        }
        if (!e.is(Errno.EPIPE)) { // that one was overwritten meanwhile: the next
          throw e;
        }
      }
    }
  }

  private static long micros(Duration duration) {
    return duration.toNanos() / 1000;
  }
}
