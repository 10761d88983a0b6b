package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.DirectoryEntry;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileType;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/**
 * Gives a volume's content the container's SELinux label, through descriptors, never following a
 * link and never leaving the volume's file system.
 */
final class Relabeler {
  private static final String STEP = "relabel volume";
  private static final String ATTRIBUTE = "security.selinux";
  private static final int MAX_DEPTH = 1024;
  private static final byte[] CURRENT = {'.'};

  /** Directories of the system whose labels hold the node together (CVE-2021-43816). */
  private static final Set<String> REFUSED =
      Set.of(
          "/",
          "/bin",
          "/boot",
          "/dev",
          "/etc",
          "/home",
          "/lib",
          "/lib64",
          "/media",
          "/mnt",
          "/opt",
          "/proc",
          "/root",
          "/run",
          "/sbin",
          "/srv",
          "/sys",
          "/tmp",
          "/usr",
          "/usr/bin",
          "/usr/lib",
          "/usr/lib64",
          "/usr/sbin",
          "/usr/share",
          "/var",
          "/var/lib",
          "/var/log",
          "/var/run",
          "/var/tmp");

  /** Nothing at or below these is relabelled: they are the system's, not a pod's. */
  private static final Set<String> REFUSED_BELOW =
      Set.of("/boot", "/dev", "/etc", "/proc", "/sys", "/usr");

  private final Files files;

  Relabeler(Files files) {
    this.files = files;
  }

  /**
   * @param source opened O_PATH
   * @param realPath where it really is, all links followed
   */
  void relabel(Fd source, String realPath, String label) {
    check(realPath);
    byte[] value = (label + "\0").getBytes(StandardCharsets.UTF_8);
    switch (files.fstat(source).type()) {
      case DIRECTORY -> {
        try (Fd top = files.openat(source, ".", OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY)) {
          set(top, CURRENT, value, realPath);
          descend(top, value, realPath, 0);
        }
      }
      case REGULAR -> {
        try (Fd file = files.open(Path.of(source.procPath()), OpenFlags.O_RDONLY)) {
          setOpen(file, value, realPath);
        }
      }
      // A socket, fifo or device cannot be opened just to be labelled.
      case SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET, UNKNOWN ->
          set(Fd.CWD, realPath.getBytes(StandardCharsets.UTF_8), value, realPath);
    }
  }

  private static void check(String realPath) {
    boolean refused =
        REFUSED.contains(realPath)
            || REFUSED_BELOW.stream().anyMatch(p -> realPath.startsWith(p + "/"));
    if (refused) {
      throw new JrtException(
          ErrorKind.DENIED,
          STEP,
          "relabelling of %s is refused: it belongs to the node's system".formatted(realPath));
    }
  }

  private void descend(Fd dir, byte[] value, String realPath, int depth) {
    if (depth > MAX_DEPTH) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, "%s nests deeper than %d".formatted(realPath, MAX_DEPTH));
    }
    for (DirectoryEntry entry : files.list(dir)) {
      byte[] name = entry.name().bytes();
      try {
        set(dir, name, value, realPath);
        if (entry.type() == FileType.DIRECTORY || entry.type() == FileType.UNKNOWN) {
          OpenHow how =
              new OpenHow(
                  OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW,
                  0,
                  OpenHow.RESOLVE_NO_XDEV | OpenHow.RESOLVE_NO_SYMLINKS);
          try (Fd child = files.openat2(dir, name, how)) {
            descend(child, value, realPath, depth + 1);
          }
        }
      } catch (KernelException e) {
        // Gone meanwhile, another mount, or (type unknown) no directory: nothing to descend into.
        if (!e.is(Errno.ENOENT, Errno.EXDEV, Errno.ENOTDIR, Errno.ELOOP)) {
          throw e;
        }
      }
    }
  }

  private void set(Fd dir, byte[] name, byte[] value, String realPath) {
    try {
      byte[] present = files.getxattrat(dir, name, ATTRIBUTE).orElse(new byte[0]);
      if (!Arrays.equals(present, value)) {
        files.setxattrat(dir, name, ATTRIBUTE, value);
      }
    } catch (KernelException e) {
      tolerate(e, realPath);
    }
  }

  private void setOpen(Fd file, byte[] value, String realPath) {
    try {
      byte[] present = files.fgetxattr(file, ATTRIBUTE).orElse(new byte[0]);
      if (!Arrays.equals(present, value)) {
        files.fsetxattr(file, ATTRIBUTE, value);
      }
    } catch (KernelException e) {
      tolerate(e, realPath);
    }
  }

  /** A file system without labels is labelled by its mount; a file may vanish meanwhile. */
  private static void tolerate(KernelException e, String realPath) {
    if (!e.is(Errno.EOPNOTSUPP, Errno.ENOENT)) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "cannot relabel %s: %s".formatted(realPath, e.getMessage()),
          e);
    }
  }
}
