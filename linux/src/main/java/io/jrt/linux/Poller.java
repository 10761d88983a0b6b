package io.jrt.linux;

/**
 * Tells when descriptors are ready: one thread in epoll_wait, handlers on virtual threads. Meant
 * for pidfds, pipes and inotify; files are always ready and cannot be watched.
 *
 * <p>A registration is one-shot inside and armed again after its handler returned: a handler never
 * runs twice at the same time, and what becomes ready while it runs is told afterwards.
 */
public interface Poller extends AutoCloseable {
  int EPOLLIN = 0x001;
  int EPOLLPRI = 0x002;
  int EPOLLOUT = 0x004;
  int EPOLLERR = 0x008;
  int EPOLLHUP = 0x010;
  int EPOLLRDHUP = 0x2000;

  /**
   * Watches the descriptor until the registration is closed. The descriptor must stay open till
   * then.
   *
   * @param events {@code EPOLL*} bits; errors and hang-ups are always told
   */
  Registration register(Fd fd, int events, Handler handler);

  @Override
  void close();

  /** Called with the {@code EPOLL*} bits that are set. An exception is logged and ends nothing. */
  @FunctionalInterface
  interface Handler {
    void ready(int events) throws Exception;
  }

  /** A descriptor being watched. */
  interface Registration extends AutoCloseable {
    /** Stops watching; a handler that runs is not waited for. May be called by the handler. */
    @Override
    void close();
  }
}
