package io.jrt.network.bridge;

import io.jrt.linux.Errno;
import io.jrt.linux.KernelException;
import io.jrt.linux.Threads;
import io.jrt.linux.netlink.NetlinkMessage;
import io.jrt.linux.netlink.RouteNetlink;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes the interfaces of detached pods on a thread of its own.
 *
 * <p>The kernel needs 15 to 30 ms to delete an interface, nearly all of it waiting for other
 * processors, and deletes many in the same time as one. So callers do not wait, and what has piled
 * up is deleted together.
 */
final class LinkReaper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LinkReaper.class);

  /** Small enough that a request with all names fits a datagram. */
  private static final int BATCH = 256;

  /** When what could not be deleted is tried again. */
  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

  private final HostSide host;
  private final Consumer<Lease> whenGone;
  private final Deque<Lease> waiting = new ArrayDeque<>();

  /** A number nobody else on the host has reason to use for a group of interfaces. */
  private final int group = ThreadLocalRandom.current().nextInt(1 << 24, Integer.MAX_VALUE);

  private @Nullable Thread thread;
  private final Set<String> underWay = new HashSet<>();
  private final List<Lease> failed = new ArrayList<>();
  private boolean closed;

  /**
   * @param whenGone told of every lease whose interface is gone
   */
  LinkReaper(HostSide host, Consumer<Lease> whenGone) {
    this.host = host;
    this.whenGone = whenGone;
  }

  /** Has the lease's interface deleted soon. */
  synchronized void delete(Lease lease) {
    if (thread == null) {
      // First: nobody would delete what is noted, and a drain would wait for ever.
      thread =
          Threads.start(
              Thread.ofPlatform().daemon().name("jrt-network-reaper").unstarted(this::work));
    }
    waiting.add(lease);
    underWay.add(lease.sandboxId());
    notifyAll();
  }

  /** Whether the sandbox's interface is yet to be deleted. */
  synchronized boolean isDeleting(String sandboxId) {
    return underWay.contains(sandboxId);
  }

  /** Waits until everything asked for so far is gone or has failed. */
  synchronized void drain() {
    boolean interrupted = false;
    while (!underWay.isEmpty()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true; // the wait is short and must be finished
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized List<Lease> next() {
    while (waiting.isEmpty() && !closed) {
      try {
        if (failed.isEmpty()) {
          wait();
        } else {
          wait(RETRY_AFTER.toMillis());
          failed.forEach(lease -> underWay.add(lease.sandboxId()));
          waiting.addAll(failed);
          failed.clear();
        }
      } catch (InterruptedException e) {
        return List.of();
      }
    }
    List<Lease> batch = new ArrayList<>();
    while (!waiting.isEmpty() && batch.size() < BATCH) {
      batch.add(waiting.remove());
    }
    return batch;
  }

  private void work() {
    List<Lease> batch = next();
    while (!batch.isEmpty()) {
      try {
        deleteLinks(batch.stream().map(Lease::veth).toList());
        batch.forEach(whenGone);
      } catch (RuntimeException e) {
        // The leases stay as they are until a later attempt.
        LOG.warn("cannot delete interfaces of {} detached pods", batch.size(), e);
        failedNow(batch);
      }
      finished(batch);
      batch = next();
    }
  }

  private synchronized void failedNow(List<Lease> batch) {
    failed.addAll(batch);
  }

  private synchronized void finished(List<Lease> batch) {
    batch.forEach(lease -> underWay.remove(lease.sandboxId()));
    notifyAll();
  }

  /** Deletes interfaces of the host; one that does not exist is fine. */
  void deleteLinks(List<String> names) {
    try (RouteNetlink routes = host.openRoutes()) {
      if (names.size() == 1) {
        refuseOtherThan(Errno.ENODEV, routes.tryEach(List.of(routes.deleteLink(names.getFirst()))));
        return;
      }
      List<NetlinkMessage> grouping =
          names.stream().map(name -> routes.setGroup(name, group)).toList();
      refuseOtherThan(Errno.ENODEV, routes.tryEach(grouping));
      refuseOtherThan(Errno.ENODEV, routes.tryEach(List.of(routes.deleteGroup(group))));
    }
  }

  private static void refuseOtherThan(Errno fine, List<KernelException> errors) {
    for (KernelException error : errors) {
      if (!error.is(fine)) {
        throw error;
      }
    }
  }

  /** Finishes what was asked for and ends the thread. */
  @Override
  public void close() {
    drain();
    synchronized (this) {
      closed = true;
      notifyAll();
    }
  }
}
