package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** {@link Namespaces} by disposable threads and, for user namespaces, {@code jrt-init}. */
final class KernelNamespaces implements Namespaces {
  private static final Set<NamespaceKind> POD_KINDS =
      Set.of(NamespaceKind.NET, NamespaceKind.IPC, NamespaceKind.UTS);

  private final Files files;
  private final Mounts mounts;
  private final Processes processes;

  KernelNamespaces(Files files, Mounts mounts, Processes processes) {
    this.files = files;
    this.mounts = mounts;
    this.processes = processes;
  }

  @Override
  public void create(Map<NamespaceKind, Path> pins) {
    int flags = cloneFlags(pins.keySet());
    DisposableThread.run(
        "jrt-unshare",
        () -> {
          if (Native.retry(SystemCall.UNSHARE, flags, 0, 0, 0) == -1) {
            throw Native.failure(SystemCall.UNSHARE, pins.keySet().toString());
          }
          pinAll(pins, "/proc/thread-self/ns/");
        });
  }

  @Override
  public void create(Map<NamespaceKind, Path> pins, Fd userNamespace, Path jrtInit) {
    int flags = cloneFlags(pins.keySet());
    withHolder(
        jrtInit,
        List.of("nsholder", Integer.toString(flags)),
        Map.of(4, userNamespace),
        pid -> pinAll(pins, "/proc/" + pid + "/ns/"));
  }

  @Override
  public Fd createUser(List<IdMapping> uids, List<IdMapping> gids, Path file, Path jrtInit) {
    withHolder(
        jrtInit,
        List.of("userns"),
        Map.of(),
        pid -> {
          files.writeValue(Fd.CWD, "/proc/" + pid + "/uid_map", lines(uids));
          files.writeValue(Fd.CWD, "/proc/" + pid + "/gid_map", lines(gids));
          pinAll(Map.of(NamespaceKind.USER, file), "/proc/" + pid + "/ns/");
        });
    return open(file);
  }

  private static int cloneFlags(Set<NamespaceKind> kinds) {
    int flags = 0;
    for (NamespaceKind kind : kinds) {
      if (!POD_KINDS.contains(kind)) {
        throw new IllegalArgumentException("not a namespace of a pod: " + kind);
      }
      flags |= kind.cloneFlag();
    }
    return flags;
  }

  /** All or none: what was pinned before a failure is removed. */
  private void pinAll(Map<NamespaceKind, Path> pins, String from) {
    List<Path> done = new ArrayList<>();
    try {
      for (Map.Entry<NamespaceKind, Path> pin : pins.entrySet()) {
        Path target = pin.getValue();
        files.open(target, OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_WRONLY, 0444).close();
        done.add(target);
        mounts.mount(from + pin.getKey().procName(), target.toString(), "", MountFlags.MS_BIND, "");
      }
    } catch (RuntimeException e) {
      for (Path target : done) {
        try {
          unpin(Set.of(target));
        } catch (RuntimeException second) {
          e.addSuppressed(second);
        }
      }
      throw e;
    }
  }

  /**
   * Starts {@code jrt-init}, which unshares and then waits: a byte on its descriptor 3 says that it
   * is ready, the end of file there lets it go.
   */
  private void withHolder(
      Path jrtInit, List<String> arguments, Map<Integer, Fd> extra, Consumer<Integer> use) {
    List<byte[]> argv = new ArrayList<>();
    argv.add("jrt-init".getBytes(UTF_8));
    arguments.forEach(argument -> argv.add(argument.getBytes(UTF_8)));
    try (Fd nothing = files.open(Path.of("/dev/null"), OpenFlags.O_RDWR);
        Sockets.SocketPair control = KernelSockets.pair(Sockets.SOCK_STREAM)) {
      Map<Integer, Fd> fds = new HashMap<>(extra);
      fds.put(0, nothing);
      fds.put(1, nothing);
      fds.put(2, nothing);
      fds.put(3, control.second());
      int pid = processes.spawn(new SpawnRequest(jrtInit.toString(), argv, List.of(), fds, true));
      control.second().close();
      try (Fd pidfd = processes.pidfdOpen(pid)) {
        try {
          if (files.read(control.first(), ByteBuffer.allocate(1)) == -1) {
            WaitResult end = processes.waitFor(pidfd);
            throw new KernelException(
                "unshare", Errno.EPERM, jrtInit + " " + arguments + " ended with " + end);
          }
          use.accept(pid);
        } finally {
          control.first().close();
          reap(pidfd);
        }
      }
    }
  }

  private void reap(Fd pidfd) {
    try {
      processes.waitFor(pidfd);
    } catch (KernelException e) {
      // Reaped already, by the failure above.
      if (!e.is(Errno.ECHILD)) {
        throw e;
      }
    }
  }

  private static String lines(List<IdMapping> map) {
    StringBuilder text = new StringBuilder();
    for (IdMapping range : map) {
      text.append(range.inside()).append(' ').append(range.outside()).append(' ');
      text.append(range.length()).append('\n');
    }
    return text.toString();
  }

  @Override
  public void unpin(Set<Path> pins) {
    for (Path file : pins) {
      mounts.detach(file);
      files.unlinkIfPresent(Fd.CWD, file.toString(), 0);
    }
  }

  @Override
  public Fd open(Path file) {
    return files.open(file, OpenFlags.O_RDONLY);
  }

  @Override
  public Fd open(Fd pidfd, int pid, NamespaceKind kind) {
    Fd namespace = open(Path.of("/proc/" + pid + "/ns/" + kind.procName()));
    // Alive now means the pid was this process's when the file was opened.
    if (!processes.pidfdSendSignal(pidfd, 0)) {
      namespace.close();
      throw new KernelException("openat", Errno.ESRCH, "pid " + pid);
    }
    return namespace;
  }

  @Override
  public boolean isPinned(Path file) {
    try (Fd fd = files.open(file, OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW)) {
      return files.statfs(fd).type() == StatFs.NSFS_MAGIC;
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public <T> T inNetns(Fd netns, Callable<T> body) throws Exception {
    return DisposableThread.run(
        "jrt-netns",
        () -> {
          enter(netns, NamespaceKind.NET);
          return body.call();
        });
  }

  /** Moves the calling thread for good: only for threads that end soon. */
  static void enter(Fd namespace, NamespaceKind kind) {
    if (Native.retry(SystemCall.SETNS, namespace.value(), kind.cloneFlag(), 0, 0) == -1) {
      throw Native.failure(SystemCall.SETNS, kind.procName());
    }
  }
}
