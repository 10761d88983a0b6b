package io.jrt.core.cgroup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.At;
import io.jrt.linux.DirectoryEntry;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileType;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One directory of a cgroup file system: reading and writing its files, making and removing it. A
 * file that does not exist reads as empty, since which files there are depends on controllers and
 * kernel.
 */
final class CgroupDir {
  private static final int REMOVE_ATTEMPTS = 60;
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(50);

  private final Files files;
  private final Path path;

  CgroupDir(Files files, Path path) {
    this.files = files;
    this.path = path;
  }

  Path path() {
    return path;
  }

  CgroupDir child(String name) {
    return new CgroupDir(files, path.resolve(name));
  }

  /** The directory of a checked cgroup path below this one. */
  CgroupDir below(String cgroupPath) {
    return cgroupPath.equals("/")
        ? this
        : new CgroupDir(files, path.resolve(cgroupPath.substring(1)));
  }

  boolean exists() {
    return files.statIfPresent(Fd.CWD, path.toString(), 0).isPresent();
  }

  boolean has(String file) {
    return files.statIfPresent(Fd.CWD, path.resolve(file).toString(), 0).isPresent();
  }

  /** Opens the directory, as {@code CLONE_INTO_CGROUP} and bpf want it. */
  Fd open() {
    return files.openDirectory(path);
  }

  Fd openForWriting(String file) {
    return files.open(path.resolve(file), OpenFlags.O_WRONLY);
  }

  /** The content without the line end; empty when there is no such file or it tells nothing. */
  Optional<String> read(String file) {
    return read(files, Fd.CWD, path.resolve(file).toString());
  }

  private static Optional<String> read(Files files, Fd dir, String file) {
    try {
      return Optional.of(files.readString(dir, file).stripTrailing());
    } catch (KernelException e) {
      // ENODEV: the cgroup was removed; EOPNOTSUPP: pressure accounting is switched off.
      if (e.is(Errno.ENOENT, Errno.ENODEV, Errno.EOPNOTSUPP, Errno.EINVAL)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * @throws KernelException as the kernel says
   */
  void write(String file, String value) {
    try (Fd fd = openForWriting(file)) {
      files.writeFully(fd, value.getBytes(UTF_8));
    }
  }

  /** False when it was there. */
  boolean make() {
    return files.mkdirIfAbsent(Fd.CWD, path.toString(), 0755);
  }

  List<String> children() {
    try (Fd dir = open()) {
      return files.list(dir).stream()
          .filter(entry -> entry.type() == FileType.DIRECTORY)
          .map(DirectoryEntry::name)
          .map(Object::toString)
          .sorted()
          .toList();
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT, Errno.ENODEV)) {
        return List.of();
      }
      throw e;
    }
  }

  /** Process ids in it and below. */
  Set<Integer> processes() {
    Set<Integer> pids = new HashSet<>();
    collectProcesses(pids);
    return pids;
  }

  private void collectProcesses(Set<Integer> into) {
    // A threaded cgroup answers EOPNOTSUPP; its processes are listed at its domain.
    read("cgroup.procs")
        .ifPresent(
            text ->
                text.lines()
                    .map(Integer::parseInt)
                    // 0: a process of a pid namespace the daemon does not see.
                    .filter(pid -> pid > 0)
                    .forEach(into::add));
    for (String child : children()) {
      child(child).collectProcesses(into);
    }
  }

  /** Removes it and all below, deepest first. */
  void remove() {
    for (int attempt = 0; ; attempt++) {
      try {
        for (String child : children()) {
          child(child).remove();
        }
        files.unlinkIfPresent(Fd.CWD, path.toString(), At.AT_REMOVEDIR);
        return;
      } catch (KernelException e) {
        // The kernel takes a moment to let go of processes that just ended.
        if (!e.is(Errno.EBUSY) || attempt == REMOVE_ATTEMPTS) {
          throw new JrtException(
              ErrorKind.FAILED_PRECONDITION,
              "remove cgroup",
              "cgroup " + path + " cannot be removed: " + e.getMessage(),
              e);
        }
        Pause.of(Duration.ofMillis(1L << Math.min(attempt, 6)), LONGEST_PAUSE);
      }
    }
  }

  /** Removes it unless something is in it: another cgroup, a process. */
  void removeIfUnused() {
    try {
      files.unlinkIfPresent(Fd.CWD, path.toString(), At.AT_REMOVEDIR);
    } catch (KernelException e) {
      if (!e.is(Errno.EBUSY, Errno.ENOTEMPTY)) {
        throw e;
      }
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
