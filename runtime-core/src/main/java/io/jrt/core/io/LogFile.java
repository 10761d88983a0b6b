package io.jrt.core.io;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Stat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An open log file that is appended to, whole lines only. When the disk is full or failing it cuts
 * off a torn line, counts what it had to drop, and goes on when there is room again.
 */
final class LogFile implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LogFile.class);
  private static final int NO_LINKS =
      OpenHow.RESOLVE_BENEATH | OpenHow.RESOLVE_NO_SYMLINKS | OpenHow.RESOLVE_NO_MAGICLINKS;

  private final Files files;
  private final Fd fd;
  private final String name;
  private final long device;
  private final long inode;
  private long position;
  private boolean failing;

  private LogFile(Files files, Fd fd, String name, Stat stat) {
    this.files = files;
    this.fd = fd;
    this.name = name;
    this.device = stat.device();
    this.inode = stat.inode();
    this.position = stat.size();
  }

  /**
   * Opens or creates {@code path} below {@code directory}. Missing directories are made; a path
   * that leaves the directory, goes through a symbolic link or names something that is not a plain
   * file is refused.
   */
  static LogFile open(Files files, Path directory, String path) {
    String name = directory.resolve(path).toString();
    Path relative = Path.of(path);
    if (relative.isAbsolute() || !relative.normalize().equals(relative) || path.startsWith("..")) {
      throw new JrtException(
          ErrorKind.INVALID, "open log", "log path " + path + " is not a plain relative path");
    }
    try {
      java.nio.file.Files.createDirectories(directory);
    } catch (java.io.IOException e) {
      throw new JrtException(
          ErrorKind.INVALID, "open log", "cannot create log directory " + directory, e);
    }
    try (Fd root = files.openDirectory(directory)) {
      for (int i = 1; i < relative.getNameCount(); i++) {
        mkdir(files, root, relative.subpath(0, i).toString());
      }
      int flags =
          OpenFlags.O_WRONLY
              | OpenFlags.O_CREAT
              | OpenFlags.O_APPEND
              | OpenFlags.O_NOFOLLOW
              | OpenFlags.O_NONBLOCK
              | OpenFlags.O_NOCTTY;
      Fd fd = files.openat2(root, path, new OpenHow(flags, 0640, NO_LINKS));
      try {
        Stat stat = files.fstat(fd);
        if (!stat.isRegular()) {
          throw new JrtException(ErrorKind.INVALID, "open log", name + " is not a plain file");
        }
        return new LogFile(files, fd, name, stat);
      } catch (RuntimeException e) {
        fd.close();
        throw e;
      }
    } catch (KernelException e) {
      ErrorKind kind =
          e.is(Errno.ENOSPC)
              ? ErrorKind.NO_SPACE
              : e.is(Errno.ELOOP, Errno.EXDEV, Errno.ENOTDIR, Errno.EISDIR, Errno.ENXIO)
                  ? ErrorKind.INVALID
                  : ErrorKind.FAILED_PRECONDITION;
      throw new JrtException(kind, "open log", "cannot open log file " + name, e);
    }
  }

  /** Makes one directory below {@code root}, by way of a parent that is reached without links. */
  private static void mkdir(Files files, Fd root, String path) {
    Path relative = Path.of(path);
    Path parent = relative.getParent();
    byte[] last = String.valueOf(relative.getFileName()).getBytes(StandardCharsets.UTF_8);
    if (parent == null) {
      files.mkdirIfAbsent(root, last, 0755);
      return;
    }
    OpenHow how = OpenHow.beneathWithoutLinks(OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
    try (Fd above = files.openat2(root, parent.toString(), how)) {
      files.mkdirIfAbsent(above, last, 0755);
    }
  }

  /** Where the next byte goes. */
  long position() {
    return position;
  }

  boolean isSameFile(long otherDevice, long otherInode) {
    return device == otherDevice && inode == otherInode;
  }

  long device() {
    return device;
  }

  long inode() {
    return inode;
  }

  /**
   * Appends the buffer's bytes, which are whole lines.
   *
   * @return how many of them had to be dropped
   */
  int append(ByteBuffer lines) {
    int start = lines.position();
    int end = lines.limit();
    try {
      while (lines.hasRemaining()) {
        position += files.write(fd, lines);
      }
      if (failing) {
        failing = false;
        LOG.info("log {} can be written again", name);
      }
      return 0;
    } catch (KernelException e) {
      int kept = cutTornLine(lines, start);
      int dropped = end - start - kept;
      if (!failing) {
        failing = true;
        LOG.warn("log {} cannot be written, output is being dropped: {}", name, e.getMessage());
      }
      lines.position(end);
      return dropped;
    }
  }

  /** Removes what was written after the last newline; says how much of the buffer is kept. */
  private int cutTornLine(ByteBuffer lines, int start) {
    int written = lines.position();
    int boundary = written;
    while (boundary > start && lines.get(boundary - 1) != '\n') {
      boundary--;
    }
    if (boundary < written) {
      try {
        files.ftruncate(fd, position - (written - boundary));
        position -= written - boundary;
      } catch (KernelException e) {
        LOG.warn("log {} keeps a torn line: {}", name, e.getMessage());
      }
    }
    return boundary - start;
  }

  @Override
  public void close() {
    fd.close();
  }
}
