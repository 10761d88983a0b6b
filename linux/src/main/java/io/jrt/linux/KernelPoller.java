package io.jrt.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link Poller} by epoll. */
final class KernelPoller implements Poller {
  private static final Logger LOG = LoggerFactory.getLogger(KernelPoller.class);
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLL_CTL_DEL = 2;
  private static final int EPOLL_CTL_MOD = 3;
  private static final int EPOLLONESHOT = 1 << 30;
  private static final int MAX_EVENTS = 128;

  /** struct epoll_event is packed on x86-64 only. */
  private static final int EVENT = Arch.pick(12, 16);

  private static final int EVENT_DATA = Arch.pick(4, 8);
  private static final long WAKE = 0;

  private final Fd epoll;
  private final Fd wake;
  private final ConcurrentMap<Long, Watch> watches = new ConcurrentHashMap<>();
  private final AtomicLong ids = new AtomicLong(WAKE);
  private final Thread thread;
  private volatile boolean closing;

  KernelPoller(String threadName) {
    long result = Native.retry(SystemCall.EPOLL_CREATE1, OpenFlags.O_CLOEXEC, 0, 0, 0);
    if (result == -1) {
      throw Native.failure(SystemCall.EPOLL_CREATE1, "");
    }
    epoll = Fd.own((int) result);
    long eventfd =
        Native.retry(SystemCall.EVENTFD2, 0, OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK, 0, 0);
    if (eventfd == -1) {
      KernelException failure = Native.failure(SystemCall.EVENTFD2, "");
      epoll.close();
      throw failure;
    }
    wake = Fd.own((int) eventfd);
    thread = Thread.ofPlatform().name(threadName).daemon().unstarted(this::run);
    try {
      control(EPOLL_CTL_ADD, wake.value(), EPOLLIN, WAKE);
      Threads.start(thread);
    } catch (RuntimeException e) {
      wake.close();
      epoll.close();
      throw e;
    }
  }

  private void control(int operation, int fd, int events, long id) {
    try (Scratch scratch = Scratch.take()) {
      int event = scratch.zeroed(16);
      scratch.memory.putInt(event, events);
      scratch.memory.putLong(event + EVENT_DATA, id);
      long result =
          Native.retry(SystemCall.EPOLL_CTL, epoll.value(), operation, fd, scratch.address(event));
      if (result == -1) {
        throw Native.failure(SystemCall.EPOLL_CTL, "fd " + fd);
      }
    }
  }

  @Override
  public Registration register(Fd fd, int events, Handler handler) {
    Watch watch = new Watch(ids.incrementAndGet(), fd.value(), events, handler);
    watches.put(watch.id, watch);
    try {
      control(EPOLL_CTL_ADD, watch.fd, events | EPOLLONESHOT, watch.id);
    } catch (RuntimeException e) {
      watches.remove(watch.id);
      throw e;
    }
    return watch;
  }

  private void run() {
    ByteBuffer events =
        ByteBuffer.allocateDirect(MAX_EVENTS * EVENT).order(ByteOrder.nativeOrder());
    long address = Native.address(events);
    while (!closing) {
      long count =
          Native.retry(SystemCall.EPOLL_PWAIT, epoll.value(), address, MAX_EVENTS, -1, 0, 8);
      if (count == -1) {
        LOG.error("poller ends", Native.failure(SystemCall.EPOLL_PWAIT, thread.getName()));
        return;
      }
      for (int i = 0; i < count; i++) {
        long id = events.getLong(i * EVENT + EVENT_DATA);
        Watch watch = watches.get(id);
        if (watch != null) {
          int ready = events.getInt(i * EVENT);
          Thread.ofVirtual().name("ready-", id).start(() -> watch.handle(ready));
        }
      }
    }
  }

  @Override
  public void close() {
    if (closing) {
      return;
    }
    closing = true;
    try (Scratch scratch = Scratch.take()) {
      int one = scratch.reserve(8);
      scratch.memory.putLong(one, 1);
      Native.retry(SystemCall.WRITE, wake.value(), scratch.address(one), 8, 0);
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    wake.close();
    epoll.close();
    watches.clear();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A registration; its monitor orders arming against closing. */
  private final class Watch implements Registration {
    private final long id;
    private final int fd;
    private final int events;
    private final Handler handler;
    private boolean closed;

    Watch(long id, int fd, int events, Handler handler) {
      this.id = id;
      this.fd = fd;
      this.events = events;
      this.handler = handler;
    }

    void handle(int ready) {
      synchronized (this) {
        if (closed) {
          return;
        }
      }
      try {
        handler.ready(ready);
      } catch (Exception e) {
        LOG.error("handler of fd {} failed", fd, e);
      }
      arm();
    }

    private synchronized void arm() {
      if (!closed && !closing) {
        control(EPOLL_CTL_MOD, fd, events | EPOLLONESHOT, id);
      }
    }

    @Override
    public synchronized void close() {
      if (closed) {
        return;
      }
      closed = true;
      watches.remove(id);
      if (!closing) {
        control(EPOLL_CTL_DEL, fd, 0, 0);
      }
    }
  }
}
