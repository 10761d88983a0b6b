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
import io.jrt.linux.ProjectUsage;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;

/**
 * Limits by project quota.
 *
 * <p>No table of ids is kept: a directory carries its own id, and an id is free on a file system
 * when nothing is counted for it and no limit is set.
 */
final class ProjectQuotas implements DirectoryQuota {
  private static final String STEP = "limit directory";

  /** Far from ids that administrators give by hand in /etc/projid. */
  private static final int FIRST_ID = 0x2000_0000;

  private static final int IDS = 0x2000_0000;
  private static final int ATTEMPTS = 1000;
  private static final int MAX_DEPTH = 1024;

  private final Files files;
  private final SecureRandom random = new SecureRandom();
  private final Object lock = new Object();

  ProjectQuotas(Files files) {
    this.files = files;
  }

  @Override
  public Optional<String> unsupported(Path directory) {
    try (Fd dir = files.openDirectory(directory)) {
      return unsupported(dir, directory);
    }
  }

  private Optional<String> unsupported(Fd dir, Path directory) {
    try {
      usage(dir, FIRST_ID);
      files.projectId(dir);
      return Optional.empty();
    } catch (KernelException e) {
      // ENOSYS is what a file system without quota says, and a kernel without quotactl_fd (5.14).
      String why =
          "its file system has no project quota (ext4 or xfs mounted with prjquota has): "
              + e.errno();
      return Optional.of("%s cannot be limited in size: %s".formatted(directory, why));
    }
  }

  @Override
  public void limit(Path directory, long bytes, long inodes) {
    if (bytes < 0 || inodes < 0 || (bytes == 0 && inodes == 0)) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "limit of %s is %d bytes, %d inodes".formatted(directory, bytes, inodes));
    }
    try (Fd dir = files.openDirectory(directory)) {
      unsupported(dir, directory)
          .ifPresent(
              why -> {
                throw new JrtException(
                    ErrorKind.FAILED_PRECONDITION,
                    STEP,
                    why,
                    "put the directory on xfs or ext4 with prjquota, or ask for no limit",
                    null);
              });
      synchronized (lock) {
        int id = files.projectId(dir);
        boolean ours = id >= FIRST_ID && id < FIRST_ID + IDS;
        if (!ours) {
          id = freeId(dir);
        }
        // The limit first: a crash in between leaves a limit nobody has, not files without one.
        files.setProjectQuota(dir, id, bytes, inodes);
        if (!ours) {
          files.setProjectId(dir, id, true);
          adopt(dir, id, 0);
        }
      }
    }
  }

  @Override
  public Optional<VolumeUsage> usage(Path directory) {
    try (Fd dir = files.openDirectory(directory)) {
      int id = files.projectId(dir);
      if (id < FIRST_ID || id >= FIRST_ID + IDS) {
        return Optional.empty();
      }
      ProjectUsage usage = usage(dir, id);
      return Optional.of(
          new VolumeUsage(usage.bytes(), usage.inodes(), usage.byteLimit(), usage.inodeLimit()));
    } catch (KernelException e) {
      if (e.is(Errno.ENOTTY, Errno.EOPNOTSUPP, Errno.ENOENT, Errno.ENOSYS, Errno.ESRCH)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public void release(Path directory) {
    try (Fd dir = files.openDirectory(directory)) {
      int id = files.projectId(dir);
      if (id >= FIRST_ID && id < FIRST_ID + IDS) {
        files.setProjectQuota(dir, id, 0, 0);
      }
    } catch (KernelException e) {
      if (!e.is(Errno.ENOTTY, Errno.EOPNOTSUPP, Errno.ENOENT, Errno.ENOSYS, Errno.ESRCH)) {
        throw e;
      }
    }
  }

  private ProjectUsage usage(Fd dir, int id) {
    try {
      return files.projectUsage(dir, id);
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return new ProjectUsage(0, 0, 0, 0); // xfs: an id that was never used
      }
      throw e;
    }
  }

  private int freeId(Fd dir) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int id = FIRST_ID + random.nextInt(IDS);
      ProjectUsage usage = usage(dir, id);
      if (usage.inodes() == 0 && usage.byteLimit() == 0 && usage.inodeLimit() == 0) {
        return id;
      }
    }
    throw new JrtException(ErrorKind.EXHAUSTED, STEP, "no free project id found");
  }

  /** What is in the directory already counts too, and what is made in it below as well. */
  private void adopt(Fd dir, int id, int depth) {
    if (depth > MAX_DEPTH) {
      throw new JrtException(ErrorKind.INVALID, STEP, "directory nests deeper than " + MAX_DEPTH);
    }
    for (DirectoryEntry entry : files.list(dir)) {
      boolean directory = entry.type() == FileType.DIRECTORY;
      if (!directory && entry.type() != FileType.REGULAR) {
        continue; // links and nodes cannot be opened to be marked, and hold no data
      }
      int flags = OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW | OpenFlags.O_NONBLOCK;
      if (directory) {
        flags |= OpenFlags.O_DIRECTORY;
      }
      OpenHow how = new OpenHow(flags, 0, OpenHow.RESOLVE_NO_XDEV | OpenHow.RESOLVE_NO_SYMLINKS);
      try (Fd child = files.openat2(dir, entry.name().bytes(), how)) {
        files.setProjectId(child, id, directory);
        if (directory) {
          adopt(child, id, depth + 1);
        }
      } catch (KernelException e) {
        if (!e.is(Errno.ENOENT, Errno.EXDEV)) {
          throw e;
        }
      }
    }
  }
}
