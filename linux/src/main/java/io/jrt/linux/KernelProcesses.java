package io.jrt.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/** {@link Processes} by system calls and /proc. */
final class KernelProcesses implements Processes {
  private static final int P_PIDFD = 3;
  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int WNOWAIT = 0x01000000;
  private static final int CLD_EXITED = 1;
  private static final int CLD_DUMPED = 3;
  private static final int CAPABILITY_VERSION_3 = 0x20080522;

  private final Files files;

  KernelProcesses(Files files) {
    this.files = files;
  }

  private static long check(long result, SystemCall call, String argument) {
    if (result == -1) {
      throw Native.failure(call, argument);
    }
    return result;
  }

  @Override
  public int spawn(SpawnRequest request) {
    return new SpawnCall(request).run();
  }

  @Override
  public Fd pidfdOpen(int pid) {
    long pidfd = Native.retry(SystemCall.PIDFD_OPEN, pid, 0, 0, 0);
    if (pidfd == -1) {
      KernelException failure = Native.failure(SystemCall.PIDFD_OPEN, "pid " + pid);
      // The number is a thread's now, of another process: kernels call that by either name.
      if (pid > 0 && failure.is(Errno.EINVAL, Errno.ENOENT)) {
        throw new KernelException(failure.call(), Errno.ESRCH, "pid " + pid + ", a thread");
      }
      throw failure;
    }
    return Fd.own((int) pidfd);
  }

  @Override
  public boolean pidfdSendSignal(Fd pidfd, int signal) {
    long result = Native.retry(SystemCall.PIDFD_SEND_SIGNAL, pidfd.value(), signal, 0, 0);
    if (result == -1 && Native.errno() == Errno.ESRCH.number()) {
      return false;
    }
    if (result == -1) {
      throw Native.failure(SystemCall.PIDFD_SEND_SIGNAL, Signals.name(signal));
    }
    return true;
  }

  @Override
  public Fd pidfdGetfd(Fd pidfd, int number) {
    long result = Native.retry(SystemCall.PIDFD_GETFD, pidfd.value(), number, 0, 0);
    if (result == -1) {
      throw Native.failure(SystemCall.PIDFD_GETFD, "descriptor " + number);
    }
    return Fd.own((int) result);
  }

  @Override
  public WaitResult waitFor(Fd pidfd) {
    return wait(pidfd, WEXITED).orElseThrow();
  }

  @Override
  public Optional<WaitResult> poll(Fd pidfd, boolean reap) {
    return wait(pidfd, reap ? WEXITED | WNOHANG : WEXITED | WNOHANG | WNOWAIT);
  }

  private static Optional<WaitResult> wait(Fd pidfd, int options) {
    try (Scratch scratch = Scratch.take()) {
      int info = scratch.zeroed(128);
      long result =
          Native.retry(
              SystemCall.WAITID, P_PIDFD, pidfd.value(), scratch.address(info), options, 0, 0);
      if (result == -1) {
        throw Native.failure(SystemCall.WAITID, pidfd.toString());
      }
      ByteBuffer m = scratch.memory;
      if (m.getInt(info + 16) == 0) {
        return Optional.empty();
      }
      int code = m.getInt(info + 8);
      int status = m.getInt(info + 24);
      return Optional.of(
          code == CLD_EXITED
              ? new WaitResult.Exited(status)
              : new WaitResult.Signaled(status, code == CLD_DUMPED));
    }
  }

  @Override
  public boolean kill(int pid, int signal) {
    long result = Native.retry(SystemCall.KILL, pid, signal, 0, 0);
    if (result == -1 && Native.errno() == Errno.ESRCH.number()) {
      return false;
    }
    if (result == -1) {
      throw Native.failure(SystemCall.KILL, Signals.name(signal) + " to " + pid);
    }
    return true;
  }

  @Override
  public OptionalLong startTime(int pid) {
    byte[] stat;
    try {
      stat = files.readFile(Fd.CWD, "/proc/" + pid + "/stat");
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT, Errno.ESRCH)) {
        return OptionalLong.empty();
      }
      throw e;
    }
    // The name is in parentheses and may hold anything, so count from the last one.
    String text = new String(stat, US_ASCII);
    int at = text.lastIndexOf(')') + 2;
    for (int field = 3; field < 22; field++) {
      at = text.indexOf(' ', at) + 1;
    }
    return OptionalLong.of(Long.parseLong(text, at, text.indexOf(' ', at), 10));
  }

  @Override
  public int pid() {
    return (int) Native.raw(SystemCall.GETPID, 0, 0, 0, 0);
  }

  @Override
  public int tid() {
    return (int) Native.raw(SystemCall.GETTID, 0, 0, 0, 0);
  }

  @Override
  public int prctl(int option, long argument) {
    return (int)
        check(
            Native.retry(SystemCall.PRCTL, option, argument, 0, 0, 0, 0),
            SystemCall.PRCTL,
            "option " + option);
  }

  @Override
  public CapabilitySets capabilities() {
    try (Scratch scratch = Scratch.take()) {
      int header = capabilityHeader(scratch);
      int data = scratch.zeroed(24);
      check(
          Native.retry(SystemCall.CAPGET, scratch.address(header), scratch.address(data), 0, 0),
          SystemCall.CAPGET,
          "");
      return new CapabilitySets(
          mask(scratch.memory, data),
          mask(scratch.memory, data + 4),
          mask(scratch.memory, data + 8));
    }
  }

  @Override
  public void setCapabilities(CapabilitySets sets) {
    try (Scratch scratch = Scratch.take()) {
      int header = capabilityHeader(scratch);
      int data = scratch.zeroed(24);
      putMask(scratch.memory, data, sets.effective());
      putMask(scratch.memory, data + 4, sets.permitted());
      putMask(scratch.memory, data + 8, sets.inheritable());
      check(
          Native.retry(SystemCall.CAPSET, scratch.address(header), scratch.address(data), 0, 0),
          SystemCall.CAPSET,
          "");
    }
  }

  private static int capabilityHeader(Scratch scratch) {
    int header = scratch.zeroed(8);
    scratch.memory.putInt(header, CAPABILITY_VERSION_3);
    return header;
  }

  /** The low halves of the three sets come first, then the high ones. */
  private static long mask(ByteBuffer m, int at) {
    return (m.getInt(at) & 0xffffffffL) | ((long) m.getInt(at + 12) << 32);
  }

  private static void putMask(ByteBuffer m, int at, long mask) {
    m.putInt(at, (int) mask);
    m.putInt(at + 12, (int) (mask >>> 32));
  }

  @Override
  public int lastCapability() {
    return Integer.parseInt(files.readString(Fd.CWD, "/proc/sys/kernel/cap_last_cap").strip());
  }

  @Override
  public ResourceLimit resourceLimit(int pid, int resource) {
    try (Scratch scratch = Scratch.take()) {
      int old = scratch.zeroed(16);
      check(
          Native.retry(SystemCall.PRLIMIT64, pid, resource, 0, scratch.address(old)),
          SystemCall.PRLIMIT64,
          "resource " + resource);
      return new ResourceLimit(scratch.memory.getLong(old), scratch.memory.getLong(old + 8));
    }
  }

  @Override
  public void setResourceLimit(int pid, int resource, ResourceLimit limit) {
    try (Scratch scratch = Scratch.take()) {
      int wanted = scratch.reserve(16);
      scratch.memory.putLong(wanted, limit.soft());
      scratch.memory.putLong(wanted + 8, limit.hard());
      check(
          Native.retry(SystemCall.PRLIMIT64, pid, resource, scratch.address(wanted), 0),
          SystemCall.PRLIMIT64,
          "resource " + resource + " of pid " + pid);
    }
  }

  @Override
  public void setOomScoreAdj(int pid, int value) {
    files.writeValue(Fd.CWD, "/proc/" + pid + "/oom_score_adj", Integer.toString(value));
  }

  @Override
  public int oomScoreAdj(int pid) {
    return Integer.parseInt(files.readString(Fd.CWD, "/proc/" + pid + "/oom_score_adj").strip());
  }
}
