package io.jrt.image.store;

import io.jrt.linux.At;
import io.jrt.linux.DirectoryEntry;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileType;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Stat;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Adds up what a tree takes of the disk; hard links count once, other filesystems do not. */
final class TreeUsage {
  private static final int MAX_DEPTH = 1024;

  private final Files files;
  private final Set<Long> linked = new HashSet<>();
  private long bytes;
  private long inodes;

  TreeUsage(Files files) {
    this.files = files;
  }

  long bytes() {
    return bytes;
  }

  long inodes() {
    return inodes;
  }

  void add(Fd directory) {
    Stat stat = files.fstat(directory);
    count(stat);
    add(directory, stat.device(), 0);
  }

  private void add(Fd directory, long device, int depth) {
    for (DirectoryEntry entry : files.list(directory)) {
      byte[] name = entry.name().bytes();
      Optional<Stat> found = files.statIfPresent(directory, name, At.AT_SYMLINK_NOFOLLOW);
      if (found.isEmpty() || found.get().device() != device) {
        continue;
      }
      Stat stat = found.get();
      if (stat.isDirectory() || stat.links() == 1 || linked.add(stat.inode())) {
        count(stat);
      }
      boolean descend = entry.type() == FileType.DIRECTORY || stat.isDirectory();
      if (descend && depth < MAX_DEPTH) {
        try (Fd child =
            files.openat2(
                directory,
                name,
                OpenHow.beneathWithoutLinks(OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY))) {
          add(child, device, depth + 1);
        } catch (KernelException e) {
          // The container works meanwhile: what is gone needs no space.
          if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
            throw e;
          }
        }
      }
    }
  }

  private void count(Stat stat) {
    bytes += stat.blocks() * 512;
    inodes++;
  }
}
