package io.jrt.core.io;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.Poller;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one output of a process and hands it to its log, if it has one, and to each client.
 *
 * <p>It has no thread: when the poller finds bytes it queues itself with the engine, whose workers
 * call {@link #run} by turns, for a few batches each time. While a client wants no more it is not
 * queued, so the bytes stay in the pipe; the poller's handler, a virtual thread, is parked till the
 * pipe was emptied.
 */
final class OutputReader {
  private static final Logger LOG = LoggerFactory.getLogger(OutputReader.class);

  /** Batches in one turn: enough to be worth the turn, few enough that others wait little. */
  private static final int BATCHES_PER_TURN = 4;

  /** What a pipe of ours holds at most. */
  private static final long PIPE_BYTES = 1 << 20;

  private final IoEngine engine;
  private final Files files;
  private final Fd fd;
  private final OutputStreamKind kind;
  private final @Nullable ContainerLog log;
  private final List<OutputSubscriber> subscribers = new CopyOnWriteArrayList<>();
  private final AtomicReference<Turn> turn = new AtomicReference<>(Turn.NONE);
  private final Semaphore emptied = new Semaphore(0);
  private final CountDownLatch over = new CountDownLatch(1);
  private final ReentrantLock watching = new ReentrantLock();
  private Poller.@Nullable Registration registration;
  private volatile boolean finishing;
  private volatile boolean letGo;
  private volatile boolean cutOff;
  private volatile long bytes;
  private volatile long bytesAtEnd;

  /** Whether this is queued or running; a request while it runs is not forgotten. */
  private enum Turn {
    NONE,
    QUEUED,
    RUNNING,
    RUNNING_AND_WANTED
  }

  OutputReader(
      IoEngine engine, Files files, Fd fd, OutputStreamKind kind, @Nullable ContainerLog log) {
    this.engine = engine;
    this.files = files;
    this.fd = fd;
    this.kind = kind;
    this.log = log;
  }

  /** Begins to read, when there is something. */
  void start() {
    // What is there already may be read, and the end met, before the registration is known here.
    watching.lock();
    try {
      if (!isOver()) {
        registration = engine.poller().register(fd, Poller.EPOLLIN, this::readable);
      }
    } finally {
      watching.unlock();
    }
  }

  OutputStreamKind kind() {
    return kind;
  }

  long bytes() {
    return bytes;
  }

  boolean isOver() {
    return over.getCount() == 0;
  }

  /** Adds a client; answers false when the stream is over. */
  boolean add(OutputSubscriber subscriber) {
    subscribers.add(subscriber);
    if (isOver()) {
      // Whoever takes it out of the list tells it of the end.
      return !subscribers.remove(subscriber);
    }
    return true;
  }

  void remove(OutputSubscriber subscriber) {
    subscribers.remove(subscriber);
    wake();
  }

  /**
   * Drops clients that have not taken anything for the engine's limit.
   *
   * @return whether some client still holds this stream
   */
  boolean dropSlow(long now) {
    for (OutputSubscriber subscriber : subscribers) {
      if (subscriber.pausedFor(now) > engine.slowClientLimit().toNanos()) {
        subscriber.drop("client took no output for " + engine.slowClientLimit().toSeconds() + " s");
      }
    }
    return isPaused();
  }

  /** Drops every client. */
  void dropAll(String reason) {
    subscribers.forEach(subscriber -> subscriber.drop(reason));
  }

  /** Asks for a turn. */
  void wake() {
    Turn before =
        turn.getAndUpdate(
            t ->
                switch (t) {
                  case NONE, QUEUED -> Turn.QUEUED;
                  case RUNNING, RUNNING_AND_WANTED -> Turn.RUNNING_AND_WANTED;
                });
    if (before == Turn.NONE) {
      engine.enqueue(this);
    }
  }

  /** The process is over: take what is there and end, without waiting for other writers. */
  void finish() {
    bytesAtEnd = bytes;
    finishing = true;
    wake();
  }

  /** Ends the stream now, though some process goes on writing to it. */
  void cutOff() {
    cutOff = true;
    wake();
  }

  /** Stops reading; what is in the pipe stays there. */
  void letGo() {
    letGo = true;
    wake();
  }

  /** Waits for the end. */
  boolean awaitOver(Duration limit) throws InterruptedException {
    return over.await(limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Runs on a virtual thread of the poller; returns when the pipe should be watched again. */
  private void readable(int events) throws InterruptedException {
    emptied.drainPermits();
    wake();
    emptied.acquire();
  }

  /** Takes a turn; called by one worker at a time. */
  void run(IoWorker worker) {
    turn.set(Turn.RUNNING);
    try {
      takeTurn(worker);
    } catch (RuntimeException e) {
      LOG.error("reading {} failed, the stream is given up", kind.label(), e);
      end(worker, false);
    }
    if (!turn.compareAndSet(Turn.RUNNING, Turn.NONE)) {
      turn.set(Turn.QUEUED);
      engine.enqueue(this);
    }
  }

  private void takeTurn(IoWorker worker) {
    if (isOver()) {
      return;
    }
    for (int i = 0; i < BATCHES_PER_TURN; i++) {
      if (letGo || cutOff) {
        end(worker, cutOff);
        return;
      }
      if (isPaused()) {
        engine.watchPaused(this);
        return;
      }
      // Asked before the read: only a pipe found empty after the process's end is empty for good.
      boolean processIsOver = finishing;
      int count = readBatch(worker);
      if (count < 0 || (count == 0 && processIsOver)) {
        end(worker, true);
        return;
      }
      if (count == 0) {
        emptied.release();
        return;
      }
    }
    wake();
  }

  private boolean isPaused() {
    // What a dead process left in its pipe a client gets however slow it is: it is not much, and
    // the process's end is not to wait for it.
    if (finishing && bytes - bytesAtEnd < PIPE_BYTES) {
      return false;
    }
    for (OutputSubscriber subscriber : subscribers) {
      if (subscriber.isPaused()) {
        return true;
      }
    }
    return false;
  }

  /** Answers the number of bytes read, 0 when there are none now, and -1 at the end. */
  private int readBatch(IoWorker worker) {
    ContainerLog target = log;
    if (target == null) {
      ByteBuffer scratch = worker.scratch().clear();
      int count = read(scratch);
      if (count > 0) {
        deliver(scratch.flip());
      }
      return count;
    }
    Landing landing = worker.landing();
    target.reading(kind, landing);
    int count = 0;
    try {
      count = read(landing.room());
      if (count > 0) {
        target.append(kind, worker, count, false);
        deliver(landing.bytes(count));
      }
    } finally {
      landing.idle(Math.max(0, count));
    }
    return count;
  }

  private int read(ByteBuffer into) {
    try {
      int count = files.read(fd, into);
      if (count > 0) {
        // Only one worker at a time runs this.
        long sum = bytes + count;
        bytes = sum;
      }
      return count;
    } catch (KernelException e) {
      if (e.is(Errno.EAGAIN)) {
        return 0;
      }
      if (e.is(Errno.EIO)) {
        return -1; // how a terminal's master says that nobody has the other side open
      }
      throw e;
    }
  }

  private void deliver(ByteBuffer piece) {
    for (OutputSubscriber subscriber : subscribers) {
      subscriber.output(piece.duplicate());
    }
  }

  private void end(IoWorker worker, boolean drained) {
    ContainerLog target = log;
    if (target != null && drained) {
      Landing landing = worker.landing();
      target.reading(kind, landing);
      target.append(kind, worker, 0, true);
      landing.idle(0);
    }
    watching.lock();
    try {
      Poller.Registration registered = registration;
      if (registered != null) {
        registered.close();
      }
      fd.close();
      over.countDown();
    } finally {
      watching.unlock();
    }
    for (OutputSubscriber subscriber : List.copyOf(subscribers)) {
      if (subscribers.remove(subscriber)) {
        subscriber.end(drained);
      }
    }
    emptied.release();
  }
}
