package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@link Inotify} by system calls. */
final class KernelInotify implements Inotify {
  private static final int ROOM = 32 * 1024;

  private final Fd fd;

  KernelInotify() {
    long result =
        Native.retry(SystemCall.INOTIFY_INIT1, OpenFlags.O_NONBLOCK | OpenFlags.O_CLOEXEC, 0, 0, 0);
    if (result == -1) {
      throw Native.failure(SystemCall.INOTIFY_INIT1, "");
    }
    fd = Fd.own((int) result);
  }

  @Override
  public Fd fd() {
    return fd;
  }

  @Override
  public int watch(Path path, int mask) {
    try (Scratch scratch = Scratch.take()) {
      long name = scratch.string("inotify_add_watch", path.toString().getBytes(UTF_8));
      long result =
          Native.retry(SystemCall.INOTIFY_ADD_WATCH, fd.value(), name, mask & 0xffffffffL, 0);
      if (result == -1) {
        throw Native.failure(SystemCall.INOTIFY_ADD_WATCH, path.toString());
      }
      return (int) result;
    }
  }

  @Override
  public void unwatch(int watch) {
    long result = Native.retry(SystemCall.INOTIFY_RM_WATCH, fd.value(), watch, 0, 0);
    // EINVAL: the file is gone and took its watch along.
    if (result == -1 && Native.errno() != Errno.EINVAL.number()) {
      throw Native.failure(SystemCall.INOTIFY_RM_WATCH, "watch " + watch);
    }
  }

  @Override
  public List<Change> read() {
    List<Change> changes = new ArrayList<>();
    try (Scratch scratch = Scratch.take()) {
      int start = scratch.reserve(ROOM);
      while (true) {
        long length = Native.retry(SystemCall.READ, fd.value(), scratch.address(start), ROOM, 0);
        if (length == -1) {
          if (Native.errno() == Errno.EAGAIN.number()) {
            return changes;
          }
          throw Native.failure(SystemCall.READ, "inotify");
        }
        parse(scratch, start, (int) length, changes);
      }
    }
  }

  /** struct inotify_event: watch, mask, cookie, length of the NUL-padded name. */
  private static void parse(Scratch scratch, int start, int length, List<Change> into) {
    ByteBuffer m = scratch.memory;
    int at = start;
    while (at < start + length) {
      int nameLength = m.getInt(at + 12);
      int end = at + 16;
      while (end < at + 16 + nameLength && m.get(end) != 0) {
        end++;
      }
      String name = new String(scratch.copy(at + 16, end - at - 16), UTF_8);
      into.add(new Change(m.getInt(at), m.getInt(at + 4), name));
      at += 16 + nameLength;
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
