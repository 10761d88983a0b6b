package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One posix_spawn: lays out its arguments in native memory and calls it. */
final class SpawnCall {
  private static final short POSIX_SPAWN_SETSIGDEF = 0x04;
  private static final short POSIX_SPAWN_SETSIGMASK = 0x08;
  private static final short POSIX_SPAWN_SETSID = 0x80;

  /** Room for posix_spawn_file_actions_t and posix_spawnattr_t (80 and 336 bytes in glibc). */
  private static final int OPAQUE = 512;

  private static final int SIGSET = 128;
  private static final int F_DUPFD_CLOEXEC = 1030;

  private final SpawnRequest request;
  private final ByteBuffer memory;
  private final long base;
  private int used;

  SpawnCall(SpawnRequest request) {
    this.request = request;
    this.memory = ByteBuffer.allocateDirect(size(request)).order(ByteOrder.nativeOrder());
    this.base = Native.address(memory);
  }

  private static int size(SpawnRequest request) {
    int size = 64 + 2 * OPAQUE + 2 * SIGSET + request.program().length() * 4;
    for (byte[] text : request.argv()) {
      size += 24 + text.length;
    }
    for (byte[] text : request.envp()) {
      size += 24 + text.length;
    }
    return size;
  }

  int run() {
    List<Fd> raised = new ArrayList<>();
    try {
      return spawn(raised);
    } finally {
      raised.forEach(Fd::close);
    }
  }

  private int spawn(List<Fd> raised) {
    Libc libc = Native.libc();
    long pid = reserve(8);
    long actions = reserve(OPAQUE);
    long attributes = reserve(OPAQUE);
    long allSignals = reserve(SIGSET);
    long noSignals = reserve(SIGSET);
    for (int i = 0; i < 8; i++) {
      memory.put((int) (allSignals - base) + i, (byte) 0xff);
    }
    // A child of vfork has its own table but the parent's /proc/self at the time of the exec would
    // be the child, whose copy of the descriptor is closed by then: name the daemon's.
    String program =
        request
            .program()
            .replaceFirst("^/proc/self/", "/proc/" + ProcessHandle.current().pid() + "/");
    long path = string(program.getBytes(UTF_8));
    long argv = strings(request.argv());
    long envp = strings(request.envp());

    check(libc.posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
    check(libc.posix_spawnattr_init(attributes), "posix_spawnattr_init");
    try {
      descriptors(libc, actions, raised);
      int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
      if (request.newSession()) {
        flags |= POSIX_SPAWN_SETSID;
      }
      check(libc.posix_spawnattr_setflags(attributes, (short) flags), "posix_spawnattr_setflags");
      check(
          libc.posix_spawnattr_setsigdefault(attributes, allSignals),
          "posix_spawnattr_setsigdefault");
      check(libc.posix_spawnattr_setsigmask(attributes, noSignals), "posix_spawnattr_setsigmask");
      check(libc.posix_spawn(pid, path, actions, attributes, argv, envp, 0), "posix_spawn");
      return memory.getInt((int) (pid - base));
    } finally {
      libc.posix_spawnattr_destroy(attributes);
      libc.posix_spawn_file_actions_destroy(actions);
    }
  }

  private void descriptors(Libc libc, long actions, List<Fd> raised) {
    int highest = 2;
    for (int target : request.fds().keySet()) {
      highest = Math.max(highest, target);
    }
    for (int target = 0; target <= highest; target++) {
      if (!request.fds().containsKey(target)) {
        check(
            libc.posix_spawn_file_actions_addclose(actions, target),
            "posix_spawn_file_actions_addclose");
      }
    }
    for (Map.Entry<Integer, Fd> entry : request.fds().entrySet()) {
      Fd source = entry.getValue();
      if (source.value() <= highest) {
        // It could be overwritten by another one's dup2 before its own turn.
        source = Fd.own((int) KernelFiles.fcntl(source, F_DUPFD_CLOEXEC, highest + 1L));
        raised.add(source);
      }
      check(
          libc.posix_spawn_file_actions_adddup2(actions, source.value(), entry.getKey()),
          "posix_spawn_file_actions_adddup2");
    }
    check(
        libc.posix_spawn_file_actions_addclosefrom_np(actions, highest + 1),
        "posix_spawn_file_actions_addclosefrom_np");
  }

  /** These functions return the errno instead of setting it. */
  private void check(int errno, String call) {
    if (errno != 0) {
      throw new KernelException(call, errno, request.program());
    }
  }

  private long reserve(int size) {
    int at = used;
    used = (used + size + 7) & ~7;
    return base + at;
  }

  private long string(byte[] text) {
    for (byte b : text) {
      if (b == 0) {
        throw new KernelException("posix_spawn", Errno.EINVAL, "argument with a NUL byte");
      }
    }
    long address = reserve(text.length + 1);
    memory.put((int) (address - base), text);
    return address;
  }

  private long strings(List<byte[]> texts) {
    long vector = reserve(8 * (texts.size() + 1));
    int at = (int) (vector - base);
    for (byte[] text : texts) {
      memory.putLong(at, string(text));
      at += 8;
    }
    return vector;
  }
}
