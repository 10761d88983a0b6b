package io.jrt.core.cgroup;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import org.jspecify.annotations.Nullable;

/**
 * One file of a cgroup, held open and read from its beginning each time. A file that the kernel
 * does not have reads as empty.
 */
final class MeterFile implements AutoCloseable {
  private final Files files;
  private final @Nullable Fd fd;

  private MeterFile(Files files, @Nullable Fd fd) {
    this.files = files;
    this.fd = fd;
  }

  static MeterFile open(Files files, @Nullable CgroupDir dir, String name) {
    if (dir == null) {
      return new MeterFile(files, null);
    }
    try {
      return new MeterFile(files, files.open(dir.path().resolve(name), OpenFlags.O_RDONLY));
    } catch (KernelException e) {
      // EOPNOTSUPP: pressure accounting is switched off.
      if (e.is(Errno.ENOENT, Errno.ENODEV, Errno.EOPNOTSUPP)) {
        return new MeterFile(files, null);
      }
      throw e;
    }
  }

  boolean isThere() {
    return fd != null;
  }

  /**
   * Reads the file into the text, which is then empty when there is none.
   *
   * @throws KernelException ENODEV when the cgroup was removed
   */
  MeterText read(MeterText text) {
    Fd open = fd;
    if (open == null) {
      return text.empty();
    }
    try {
      // The kernel hands such a file out in one piece.
      while (text.filled(files.pread(open, text.space(), 0))) {
        text.grow();
      }
    } catch (KernelException e) {
      if (!e.is(Errno.EOPNOTSUPP, Errno.EINVAL)) {
        throw e;
      }
      return text.empty();
    }
    return text;
  }

  @Override
  public void close() {
    Fd open = fd;
    if (open != null) {
      open.close();
    }
  }
}
