package io.jrt.image.store;

import io.jrt.image.LayerProgress;
import io.jrt.image.PullListener;
import io.jrt.image.PullProgress;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** The progress of one pull: many threads report to it, one listener is told at a bearable rate. */
final class PullTracker {
  private static final long TELL_EVERY = 250_000_000L;
  private static final long SPEED_WINDOW = 4_000_000_000L;
  private static final AtomicLong NUMBERS = new AtomicLong();

  /** One layer; phases and numbers are written by its thread. */
  final class Layer {
    private final String digest;
    private final long size;
    private final AtomicLong fetched = new AtomicLong();
    private final AtomicLong unpacked = new AtomicLong();
    private volatile LayerProgress.Phase phase = LayerProgress.Phase.WAITING;

    private Layer(String digest, long size) {
      this.digest = digest;
      this.size = size;
    }

    void phase(LayerProgress.Phase now) {
      if (phase == LayerProgress.Phase.DONE) {
        return;
      }
      phase = now;
      if (now == LayerProgress.Phase.PRESENT || now == LayerProgress.Phase.DONE) {
        fetched.set(size);
      }
      tell(true);
    }

    /** A new attempt begins at the start. */
    void restart() {
      fetched.set(0);
      unpacked.set(0);
    }

    /** Bytes that are here since an earlier attempt. */
    void kept(long bytes) {
      fetched.addAndGet(bytes);
    }

    void fetched(long more) {
      fetched.addAndGet(more);
      total.addAndGet(more);
      tell(false);
    }

    void unpacked(long now) {
      unpacked.set(now);
    }

    private LayerProgress progress() {
      return new LayerProgress(digest, phase, size, Math.min(size, fetched.get()), unpacked.get());
    }
  }

  private record Sample(long at, long bytes) {}

  private final String id = "pull-" + NUMBERS.incrementAndGet();
  private final String reference;
  private final PullListener listener;
  private final Instant since = Instant.now();
  private final AtomicLong total = new AtomicLong();
  private final ArrayDeque<Sample> samples = new ArrayDeque<>();
  private volatile PullProgress.Phase phase = PullProgress.Phase.QUEUED;
  private volatile String detail = "";
  private volatile List<Layer> layers = List.of();
  private volatile long lastTold;

  PullTracker(String reference, PullListener listener) {
    this.reference = reference;
    this.listener = listener;
    this.lastTold = System.nanoTime() - TELL_EVERY;
  }

  void phase(PullProgress.Phase now, String why) {
    phase = now;
    detail = why;
    tell(true);
  }

  List<Layer> layers(List<ImageRecord.Layer> records) {
    var made = new ArrayList<Layer>();
    records.forEach(record -> made.add(new Layer(record.digest(), record.size())));
    layers = List.copyOf(made);
    return layers;
  }

  private void tell(boolean now) {
    if (!now && System.nanoTime() - lastTold < TELL_EVERY) {
      return;
    }
    synchronized (samples) {
      if (now || System.nanoTime() - lastTold >= TELL_EVERY) {
        lastTold = System.nanoTime();
        listener.progress(progress());
      }
    }
  }

  PullProgress progress() {
    return new PullProgress(
        id,
        reference,
        since,
        Instant.now(),
        phase,
        detail,
        speed(),
        layers.stream().map(Layer::progress).toList());
  }

  private long speed() {
    synchronized (samples) {
      long now = System.nanoTime();
      long bytes = total.get();
      samples.add(new Sample(now, bytes));
      while (samples.size() > 2 && now - samples.getFirst().at() > SPEED_WINDOW) {
        samples.removeFirst();
      }
      Sample first = samples.getFirst();
      long span = now - first.at();
      return span < 1_000_000 ? 0 : (long) ((bytes - first.bytes()) * 1e9 / span);
    }
  }
}
