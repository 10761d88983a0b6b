package io.jrt.linux;

/**
 * The way to the Linux kernel: one object, made by {@link #open()}, that hands out the calls by
 * concept. All parts are stateless and usable from any thread, except what their Javadoc says.
 */
public final class Kernel {
  private final Files files = new KernelFiles();
  private final Processes processes = new KernelProcesses(files);
  private final Mounts mounts = new KernelMounts(files);
  private final Namespaces namespaces = new KernelNamespaces(files, mounts, processes);
  private final Sockets sockets = new KernelSockets(files);
  private final Bpf bpf = new KernelBpf();
  private final Seccomp seccomp = new KernelSeccomp(files);
  private final Terminals terminals = new KernelTerminals(files);
  private final FailPoints failPoints = FailPoints.fromSystemProperty();

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

  /** Where a test can make what is done with the kernel go wrong. */
  public FailPoints failPoints() {
    return failPoints;
  }

  /** A new poller with a thread of its own; close it to end that. */
  public Poller newPoller(String threadName) {
    return new KernelPoller(threadName);
  }

  /** A new inotify instance. */
  public Inotify newInotify() {
    return new KernelInotify();
  }
}
