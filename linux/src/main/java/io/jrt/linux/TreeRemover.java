package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;

/**
 * Removes a directory tree by descriptors. A tree deeper than {@value #MAX_DEPTH} (a hostile image
 * can nest thousands of directories) is flattened on the way: what lies too deep is renamed up to
 * the top and met again there, so neither descriptors nor stack run out.
 */
final class TreeRemover {
  private static final int MAX_DEPTH = 64;

  private final Files files;
  private final int resolve;
  private int moved;

  TreeRemover(Files files, boolean crossMounts) {
    this.files = files;
    int inside =
        OpenHow.RESOLVE_BENEATH | OpenHow.RESOLVE_NO_SYMLINKS | OpenHow.RESOLVE_NO_MAGICLINKS;
    this.resolve = crossMounts ? inside : inside | OpenHow.RESOLVE_NO_XDEV;
  }

  void remove(Fd dir, byte[] name) {
    if (unlinkedAsFile(dir, name)) {
      return;
    }
    try (Fd top = openDirectory(dir, name)) {
      emptyOut(top, top, 0);
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return;
      }
      throw e;
    }
    files.unlinkIfPresent(dir, name, At.AT_REMOVEDIR);
  }

  private void emptyOut(Fd top, Fd dir, int depth) {
    List<DirectoryEntry> entries = files.list(dir);
    while (!entries.isEmpty()) {
      for (DirectoryEntry entry : entries) {
        byte[] name = entry.name().bytes();
        if (entry.type() != FileType.DIRECTORY && unlinkedAsFile(dir, name)) {
          continue;
        }
        directory(top, dir, name, depth);
      }
      entries = files.list(dir);
    }
  }

  private void directory(Fd top, Fd dir, byte[] name, int depth) {
    try {
      if (depth >= MAX_DEPTH) {
        byte[] upper = (".jrt-removing-" + moved++).getBytes(UTF_8);
        files.renameat2(dir, name, top, upper, At.RENAME_NOREPLACE);
        return;
      }
      try (Fd inner = openDirectory(dir, name)) {
        emptyOut(top, inner, depth + 1);
      }
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return;
      }
      if (e.is(Errno.EEXIST)) {
        // The tree itself has such a name; the next number is tried in the next round.
        return;
      }
      throw e;
    }
    files.unlinkIfPresent(dir, name, At.AT_REMOVEDIR);
  }

  private Fd openDirectory(Fd dir, byte[] name) {
    int flags = OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW;
    return files.openat2(dir, name, new OpenHow(flags, 0, resolve));
  }

  /** False when it is a directory. */
  private boolean unlinkedAsFile(Fd dir, byte[] name) {
    try {
      files.unlinkIfPresent(dir, name, 0);
      return true;
    } catch (KernelException e) {
      if (e.is(Errno.EISDIR)) {
        return false;
      }
      throw e;
    }
  }
}
