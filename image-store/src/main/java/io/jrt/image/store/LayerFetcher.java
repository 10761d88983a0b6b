package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImageStoreConfig.Limits;
import io.jrt.image.LayerProgress;
import io.jrt.image.content.Descriptor;
import io.jrt.image.layer.LayerLimits;
import io.jrt.image.layer.LayerUnpacker;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the missing layers of an image to the disk, side by side. A layer that another pull is
 * fetching is waited for. All layers of an image share one sync; those that are complete are kept
 * also when another one fails, so the next attempt begins where this one ended.
 */
final class LayerFetcher {
  private static final Logger LOG = LoggerFactory.getLogger(LayerFetcher.class);
  private static final long SPACE_STEP = 64L << 20;

  /** Bytes after which the disk begins to write, while more are fetched. */
  private static final long SYNC_STEP = 48L << 20;

  /** A layer that is unpacked below tmp. */
  private record Staged(
      ImageRecord.Layer layer,
      Path directory,
      LayerUnpacker.Unpacked unpacked,
      Optional<Ingest.Part> part) {
    LayerRecord record() {
      return new LayerRecord(
          layer.chainId(),
          layer.diffId(),
          layer.digest(),
          layer.size(),
          unpacked.bytes(),
          unpacked.inodes(),
          unpacked.opaqueRoot());
    }
  }

  private final StoreFiles files;
  private final LayerStore layers;
  private final Ingest ingest;
  private final Limits limits;
  private final Consumer<String> steps;
  private final Bandwidth bandwidth;
  private final Semaphore slots;
  private final RangeWindow window;
  private final LayerUnpacker unpacker;
  private final AtomicLong unsynced = new AtomicLong();
  private final Map<String, CountDownLatch> underWay = new ConcurrentHashMap<>();

  LayerFetcher(
      StoreFiles files, LayerStore layers, Ingest ingest, Limits limits, Consumer<String> steps) {
    this.files = files;
    this.layers = layers;
    this.ingest = ingest;
    this.steps = steps;
    this.limits = limits;
    this.bandwidth = new Bandwidth(limits.bytesPerSecond());
    this.slots = new Semaphore(limits.parallelLayers(), true);
    this.window = new RangeWindow(slots, limits.rangeBytes());
    this.unpacker = new LayerUnpacker(files.calls(), LayerLimits.of(limits));
  }

  /**
   * Makes all layers present. The caller holds a lease of them.
   *
   * @param image the base first
   * @throws JrtException of the first layer that failed
   */
  void fetch(List<ImageRecord.Layer> image, ImageSource source, List<PullTracker.Layer> progress) {
    while (true) {
      for (ImageRecord.Layer layer : image) {
        // Looks for damage where that is in doubt, which takes time: before the claims.
        layers.find(ImageIndex.hex(layer));
      }
      var mine = new ArrayList<Integer>();
      var others = new ArrayList<CountDownLatch>();
      claim(image, progress, mine, others);
      if (mine.isEmpty() && others.isEmpty()) {
        return;
      }
      try {
        fetchMine(image, mine, source, progress);
      } finally {
        mine.forEach(i -> done(ImageIndex.hex(image.get(i))));
      }
      for (CountDownLatch other : others) {
        await(other);
      }
      // A layer whose other pull failed is missing still: the next round makes it ours.
    }
  }

  /**
   * Divides the missing layers into ours and those of other pulls. All claims of a pull are made at
   * once: so a pull waits only for pulls that claimed before it, never in a circle.
   */
  private void claim(
      List<ImageRecord.Layer> image,
      List<PullTracker.Layer> progress,
      List<Integer> mine,
      List<CountDownLatch> others) {
    synchronized (underWay) {
      var seen = new HashSet<String>();
      for (int i = 0; i < image.size(); i++) {
        String hex = ImageIndex.hex(image.get(i));
        if (!seen.add(hex)) {
          continue;
        }
        CountDownLatch other = underWay.get(hex);
        if (layers.contains(hex)) {
          progress.get(i).phase(LayerProgress.Phase.PRESENT);
        } else if (other != null) {
          progress.get(i).phase(LayerProgress.Phase.SHARED);
          others.add(other);
        } else {
          underWay.put(hex, new CountDownLatch(1));
          mine.add(i);
        }
      }
    }
  }

  private void done(String hex) {
    CountDownLatch latch = underWay.remove(hex);
    if (latch != null) {
      latch.countDown();
    }
  }

  private void fetchMine(
      List<ImageRecord.Layer> image,
      List<Integer> mine,
      ImageSource source,
      List<PullTracker.Layer> progress) {
    if (mine.isEmpty()) {
      return;
    }
    requireSpace(mine.stream().mapToLong(i -> image.get(i).size()).sum());
    long mark = files.syncMark();
    var staged = new ConcurrentHashMap<Integer, Staged>();
    ExecutorService workers =
        Executors.newFixedThreadPool(
            Math.min(mine.size(), limits.parallelLayers()),
            Thread.ofPlatform().daemon().name("jrt-layer-", 0).factory());
    var running = new ArrayList<Future<?>>();
    for (int i : mine) {
      running.add(
          workers.submit(() -> staged.put(i, stage(image.get(i), source, progress.get(i)))));
    }
    Optional<JrtException> failure = awaitAll(running, workers);
    Optional<JrtException> unfinished;
    try {
      unfinished = commit(image, mine, staged, progress, mark);
    } finally {
      staged.values().forEach(one -> one.part().ifPresent(Ingest.Part::close));
    }
    failure
        .or(() -> unfinished)
        .ifPresent(
            e -> {
              throw e;
            });
  }

  /** Waits for all; after a failure the rest is stopped, and it is waited for that too. */
  private static Optional<JrtException> awaitAll(List<Future<?>> running, ExecutorService workers) {
    JrtException failure = null;
    boolean interrupted = false;
    for (Future<?> one : running) {
      while (true) {
        try {
          one.get();
          break;
        } catch (ExecutionException e) {
          JrtException cause = known(e.getCause());
          if (failure == null) {
            failure = cause;
            workers.shutdownNow();
          } else if (cause.kind() != ErrorKind.CANCELLED) {
            failure.addSuppressed(cause);
          }
          break;
        } catch (java.util.concurrent.CancellationException e) {
          break;
        } catch (InterruptedException e) {
          interrupted = true;
          workers.shutdownNow();
          running.forEach(other -> other.cancel(true));
          failure = new JrtException(ErrorKind.CANCELLED, "fetch layer", "the pull was stopped", e);
        }
      }
    }
    boolean ended = false;
    workers.shutdownNow();
    while (!ended) {
      try {
        ended = workers.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return Optional.ofNullable(failure);
  }

  private static JrtException known(@Nullable Throwable cause) {
    return cause instanceof JrtException known
        ? known
        : new JrtException(
            ErrorKind.INTERNAL, "fetch layer", "a layer could not be fetched: " + cause, cause);
  }

  private Staged stage(ImageRecord.Layer layer, ImageSource source, PullTracker.Layer progress) {
    try {
      slots.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "fetch layer", "the pull was stopped", e);
    }
    try {
      progress.phase(LayerProgress.Phase.FETCHING);
      try {
        return unpack(layer, source, limits.rangeBytes(), progress);
      } catch (JrtException e) {
        if (e.kind() != ErrorKind.DATA_LOSS || Thread.currentThread().isInterrupted()) {
          throw named(layer, e);
        }
        LOG.warn("layer {} is fetched again: {}", layer.digest(), e.getMessage());
        progress.restart();
        // In one piece: who serves wrong ranges may be right about the whole.
        try {
          return unpack(layer, source, 0, progress);
        } catch (JrtException again) {
          throw named(layer, again);
        }
      }
    } finally {
      slots.release();
    }
  }

  /** An error that says which of an image's layers it is about. */
  private static JrtException named(ImageRecord.Layer layer, JrtException e) {
    String message = String.valueOf(e.getMessage());
    return e.kind() == ErrorKind.CANCELLED || message.contains(layer.digest())
        ? e
        : new JrtException(
            e.kind(),
            e.step(),
            "layer " + layer.digest() + ": " + message,
            e.hint().orElse(null),
            e);
  }

  private Staged unpack(
      ImageRecord.Layer layer, ImageSource source, long rangeBytes, PullTracker.Layer progress) {
    var descriptor = Descriptor.of(layer.mediaType(), Digest.parse(layer.digest()), layer.size());
    Optional<Ingest.Part> part = source.isFar() ? ingest.take(descriptor) : Optional.empty();
    Path directory = files.newTemp("layer");
    boolean complete = false;
    try {
      var space = new SpaceCheck(progress);
      long began = System.nanoTime();
      LayerUnpacker.Unpacked unpacked =
          unpacker.unpack(
              open(descriptor, source, rangeBytes, part, progress),
              descriptor.digest(),
              descriptor.size(),
              Digest.parse(layer.diffId()),
              directory,
              space::written);
      if (source.isFar()) {
        long kept = part.map(Ingest.Part::have).orElse(0L);
        ingest.fetched(descriptor.size() - kept, System.nanoTime() - began);
      }
      progress.phase(LayerProgress.Phase.COMMITTING);
      steps.accept("image.layer.unpacked");
      complete = true;
      return new Staged(layer, directory, unpacked, part);
    } catch (JrtException e) {
      if (isWrong(e)) {
        part.ifPresent(Ingest.Part::discard);
      }
      throw e;
    } finally {
      if (!complete) {
        part.ifPresent(Ingest.Part::close);
        files.discard(directory);
      }
    }
  }

  /** Whether to come by the same bytes again would not help. */
  private static boolean isWrong(JrtException e) {
    return switch (e.kind()) {
      case DATA_LOSS, INVALID, NO_SPACE -> true;
      default -> false;
    };
  }

  private InputStream open(
      Descriptor descriptor,
      ImageSource source,
      long rangeBytes,
      Optional<Ingest.Part> part,
      PullTracker.Layer progress) {
    Ingest.Rest rest = from -> rest(descriptor, source, rangeBytes, from, progress);
    if (part.isEmpty()) {
      return rest.from(0);
    }
    long kept = part.get().have();
    if (kept > 0) {
      LOG.info("layer {} goes on at byte {} of {}", descriptor.digest(), kept, descriptor.size());
      progress.kept(kept);
    }
    return new Ingest.Stream(part.get(), rest);
  }

  /**
   * What of a layer is not here.
   *
   * @param rangeBytes more than so many come in ranges; 0 is never
   */
  private InputStream rest(
      Descriptor descriptor,
      ImageSource source,
      long rangeBytes,
      long from,
      PullTracker.Layer progress) {
    Optional<RangedStream.Opener> ranges =
        rangeBytes > 0 && limits.parallelLayers() > 1 && descriptor.size() - from > rangeBytes
            ? source.ranges(descriptor)
            : Optional.empty();
    if (ranges.isEmpty()) {
      return new MeteredStream(source.layer(descriptor, from), progress, bandwidth);
    }
    return new RangedStream(
        from,
        descriptor.size(),
        ranges.get(),
        window,
        count -> {
          progress.fetched(count);
          bandwidth.spend(count);
        });
  }

  /**
   * Completes, syncs and shows every layer whose lower ones are complete.
   *
   * @return why a layer could not be completed
   */
  private Optional<JrtException> commit(
      List<ImageRecord.Layer> image,
      List<Integer> mine,
      Map<Integer, Staged> staged,
      List<PullTracker.Layer> progress,
      long mark) {
    var ready = new TreeMap<Integer, Staged>();
    var lower = new ArrayList<Path>();
    var seen = new HashSet<String>();
    JrtException failure = null;
    boolean whole = true;
    for (int i = 0; i < image.size(); i++) {
      String hex = ImageIndex.hex(image.get(i));
      Staged one = staged.get(i);
      if (!seen.add(hex) && one == null) {
        continue;
      }
      if (one == null) {
        // One of ours that failed has nobody to wait for.
        whole = !mine.contains(i) && awaitShared(hex, lower) && whole;
        continue;
      }
      if (!whole && !one.unpacked().finisher().isComplete()) {
        files.discard(one.directory());
        continue;
      }
      try {
        if (one.unpacked().opaqueRoot()) {
          lower.clear();
        }
        one.unpacked().finisher().finish(List.copyOf(lower.reversed()));
        layers.stage(one.record(), one.directory());
        ready.put(i, one);
        lower.add(one.directory().resolve(LayerUnpacker.ROOT));
      } catch (JrtException e) {
        files.discard(one.directory());
        one.part().ifPresent(Ingest.Part::discard);
        failure = failure == null ? e : failure;
        whole = false;
      }
    }
    if (!ready.isEmpty()) {
      try {
        steps.accept("image.commit.staged");
        files.sync(mark);
        steps.accept("image.commit.synced");
        ready.forEach(
            (i, one) -> {
              layers.commit(one.record(), one.directory());
              progress.get(i).phase(LayerProgress.Phase.DONE);
              steps.accept("image.commit.shown");
            });
      } catch (RuntimeException e) {
        // Those that are shown lie elsewhere by now.
        ready.values().forEach(one -> files.discard(one.directory()));
        throw e;
      }
      files.syncDirectory(files.layers());
      ready.values().forEach(one -> one.part().ifPresent(Ingest.Part::discard));
      steps.accept("image.commit.done");
    }
    return Optional.ofNullable(failure);
  }

  /** A lower layer is another pull's: what stands on it can be completed when that is done. */
  private boolean awaitShared(String hex, List<Path> lower) {
    CountDownLatch other = underWay.get(hex);
    if (other != null && !layers.contains(hex)) {
      await(other);
    }
    if (!layers.contains(hex)) {
      return false;
    }
    lower.add(layers.root(hex));
    return true;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "fetch layer", "the pull was stopped", e);
    }
  }

  private void requireSpace(long needed) {
    long free = files.freeBytes();
    if (free < needed + limits.keepFree()) {
      ingest.deleteUnused();
      layers.deleteUnused();
      free = files.freeBytes();
    }
    if (free < needed + limits.keepFree()) {
      throw new JrtException(
          ErrorKind.NO_SPACE,
          "fetch layer",
          "the layers need at least "
              + needed
              + " bytes, but "
              + files.root()
              + " has "
              + free
              + " bytes free, of which "
              + limits.keepFree()
              + " are kept free");
    }
  }

  /** Looks at the free space as a layer grows, and reports. */
  private final class SpaceCheck {
    private final PullTracker.Layer progress;
    private long next = SPACE_STEP;
    private long told;

    SpaceCheck(PullTracker.Layer progress) {
      this.progress = progress;
    }

    void written(long bytes) {
      progress.unpacked(bytes);
      if (unsynced.addAndGet(bytes - told) >= SYNC_STEP) {
        unsynced.set(0);
        files.syncAhead();
      }
      told = bytes;
      steps.accept("image.layer.fetched");
      if (bytes >= next) {
        next = bytes + SPACE_STEP;
        long free = files.freeBytes();
        if (free < limits.keepFree()) {
          throw new JrtException(
              ErrorKind.NO_SPACE,
              "unpack layer",
              files.root()
                  + " has "
                  + free
                  + " bytes left after "
                  + bytes
                  + " of a layer, less than the "
                  + limits.keepFree()
                  + " to be kept free");
        }
      }
    }
  }
}
