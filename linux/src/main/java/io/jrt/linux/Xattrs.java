package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The extended attribute calls. Those on a name below a directory go through /proc/self/fd, since
 * setxattrat(2) is younger (Linux 6.13) than the kernels jrt serves.
 */
final class Xattrs {
  /** XATTR_SIZE_MAX is 64 KiB; what the kernel gives back for one attribute fits. */
  private static final int ROOM = 48 * 1024;

  private Xattrs() {}

  static byte[] below(Fd dir, byte[] path) {
    if (dir == Fd.CWD) {
      return path;
    }
    byte[] prefix = (dir.procPath() + "/").getBytes(UTF_8);
    byte[] whole = new byte[prefix.length + path.length];
    System.arraycopy(prefix, 0, whole, 0, prefix.length);
    System.arraycopy(path, 0, whole, prefix.length, path.length);
    return whole;
  }

  /** The first argument: a descriptor, or where that is negative the path. */
  private static long subject(Scratch scratch, String call, int fd, byte[] path) {
    return fd >= 0 ? fd : scratch.string(call, path);
  }

  static Optional<byte[]> get(SystemCall call, int fd, byte[] path, String name) {
    try (Scratch scratch = Scratch.take()) {
      int value = scratch.reserve(ROOM);
      long result =
          Native.retry(
              call,
              subject(scratch, call.label, fd, path),
              scratch.string(call.label, name.getBytes(UTF_8)),
              scratch.address(value),
              ROOM);
      if (result == -1) {
        if (Native.errno() == Errno.ENODATA.number()) {
          return Optional.empty();
        }
        throw Native.failure(call, describe(fd, path, name));
      }
      return Optional.of(scratch.copy(value, (int) result));
    }
  }

  static void set(SystemCall call, int fd, byte[] path, String name, byte[] value) {
    if (value.length > ROOM) {
      throw new KernelException(call.label, Errno.E2BIG, describe(fd, path, name));
    }
    try (Scratch scratch = Scratch.take()) {
      long subject = subject(scratch, call.label, fd, path);
      long key = scratch.string(call.label, name.getBytes(UTF_8));
      long data = scratch.address(scratch.put(value));
      if (Native.retry(call, subject, key, data, value.length, 0, 0) == -1) {
        throw Native.failure(call, describe(fd, path, name));
      }
    }
  }

  static void remove(SystemCall call, int fd, byte[] path, String name) {
    try (Scratch scratch = Scratch.take()) {
      long result =
          Native.retry(
              call,
              subject(scratch, call.label, fd, path),
              scratch.string(call.label, name.getBytes(UTF_8)),
              0,
              0);
      if (result == -1 && Native.errno() != Errno.ENODATA.number()) {
        throw Native.failure(call, describe(fd, path, name));
      }
    }
  }

  static List<String> list(SystemCall call, int fd, byte[] path) {
    try (Scratch scratch = Scratch.take()) {
      int names = scratch.reserve(ROOM);
      long result =
          Native.retry(
              call, subject(scratch, call.label, fd, path), scratch.address(names), ROOM, 0);
      if (result == -1) {
        throw Native.failure(call, describe(fd, path, ""));
      }
      List<String> found = new ArrayList<>();
      int start = names;
      for (int i = names; i < names + result; i++) {
        if (scratch.memory.get(i) == 0) {
          found.add(new String(scratch.copy(start, i - start), UTF_8));
          start = i + 1;
        }
      }
      return found;
    }
  }

  private static String describe(int fd, byte[] path, String name) {
    String subject = fd >= 0 ? "fd " + fd : Native.printable(path);
    return name.isEmpty() ? subject : subject + " " + name;
  }
}
