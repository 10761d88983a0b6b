package io.jrt.linux;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.lang.reflect.Proxy;

/**
 * The way to the Linux kernel: one object, made by {@link #open()}, that hands out the calls by
 * concept. All parts are stateless and usable from any thread, except what their Javadoc says.
 */
public final class Kernel {
  private final Files files = new KernelFiles();
  private final Processes processes = unimplemented(Processes.class);
  private final Mounts mounts = unimplemented(Mounts.class);
  private final Namespaces namespaces = unimplemented(Namespaces.class);
  private final Sockets sockets = unimplemented(Sockets.class);
  private final Bpf bpf = unimplemented(Bpf.class);
  private final Seccomp seccomp = unimplemented(Seccomp.class);
  private final Terminals terminals = unimplemented(Terminals.class);

  private Kernel() {}

  /**
   * Binds the C library.
   *
   * @throws ExceptionInInitializerError on an architecture without system call numbers here
   */
  public static Kernel open() {
    Native.load();
    return new Kernel();
  }

  public Files files() {
    return files;
  }

  public Mounts mounts() {
    return mounts;
  }

  public Namespaces namespaces() {
    return namespaces;
  }

  public Processes processes() {
    return processes;
  }

  public Sockets sockets() {
    return sockets;
  }

  public Bpf bpf() {
    return bpf;
  }

  public Seccomp seccomp() {
    return seccomp;
  }

  public Terminals terminals() {
    return terminals;
  }

  /** A new poller with a thread of its own; close it to end that. */
  public Poller newPoller(String threadName) {
    return unimplemented(Poller.class);
  }

  /** A new inotify instance. */
  public Inotify newInotify() {
    return unimplemented(Inotify.class);
  }

  private static <T> T unimplemented(Class<T> type) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              throw new JrtException(ErrorKind.UNIMPLEMENTED, "system call", method.getName());
            }));
  }
}
