package io.jrt.server;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back to the machine what a burst of work has left of the heap. The serial collector lets
 * the old generation grow to its limit before it looks at it for the first time, keeps the young
 * one as small as at the start until then, and nothing ever makes it look once the work is done. So
 * the heap is collected as a whole once far more of it is taken than was alive the last time, or
 * that is long ago; the options {@code MaxHeapFreeRatio} and {@code ShrinkHeapInSteps} say how much
 * of the rest stays.
 */
final class HeapTrimmer {
  private static final Logger log = LoggerFactory.getLogger(HeapTrimmer.class);

  /** How much more than is to be expected may be taken, in bytes: a collection has its price. */
  private static final long SLACK = 16 << 20;

  /** A heap of this size in bytes is left alone. */
  private static final long SMALL = 48 << 20;

  private static final Duration INTERVAL = Duration.ofSeconds(5);

  /** The heap of this process, or of a test. Sizes in bytes. */
  interface Heap {
    /** What is taken from the machine. */
    long taken();

    /** What objects fill, also those nobody has any more. */
    long filled();

    void collect();
  }

  private static final Heap OF_THIS_PROCESS =
      new Heap() {
        private final Runtime runtime = Runtime.getRuntime();

        @Override
        public long taken() {
          return runtime.totalMemory();
        }

        @Override
        public long filled() {
          return runtime.totalMemory() - runtime.freeMemory();
        }

        @Override
        public void collect() {
          System.gc();
        }
      };

  private final Heap heap;
  private long limit;

  HeapTrimmer(Heap heap) {
    this.heap = heap;
    limit = next();
  }

  /** Starts to look at the heap of this process every few seconds, until it is closed. */
  static AutoCloseable start() {
    var trimmer = new HeapTrimmer(OF_THIS_PROCESS);
    Thread thread = Thread.ofVirtual().name("heap-trimmer").start(trimmer::run);
    return thread::interrupt;
  }

  private void run() {
    try {
      while (true) {
        Thread.sleep(INTERVAL);
        look();
      }
    } catch (InterruptedException e) {
      log.debug("closed");
    }
  }

  /** Collects if it is time. */
  void look() {
    long taken = heap.taken();
    if (taken <= limit) {
      // What is alive now may be dead in a minute, without the heap growing any more.
      limit = Math.max(SMALL, limit - limit / 100);
      return;
    }
    heap.collect();
    limit = next();
    log.debug("heap: {} KiB of {} KiB stay", heap.taken() >> 10, taken >> 10);
  }

  private long next() {
    return Math.max(SMALL, Math.max(2 * heap.filled(), heap.taken()) + SLACK);
  }
}
