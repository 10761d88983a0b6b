package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.FsUsage;
import io.jrt.image.Image;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.ImageTree;
import io.jrt.image.PullListener;
import io.jrt.image.PullProgress;
import io.jrt.image.PullRequest;
import io.jrt.image.Reference;
import io.jrt.image.Snapshot;
import io.jrt.image.registry.Proxies;
import io.jrt.image.registry.RegistryClient;
import io.jrt.image.registry.RegistryHosts;
import io.jrt.linux.Kernel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images of a node below one directory; see {@link StoreFiles} for what lies where. */
public final class LocalImageStore implements ImageStore {
  private static final Logger LOG = LoggerFactory.getLogger(LocalImageStore.class);
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final long MEASURE_EVERY_MILLIS = 10_000;
  private static final String CLEAN = "clean";

  private final StoreFiles files;
  private final LayerStore layers;
  private final ImageIndex images;
  private final SnapshotStore snapshots;
  private final Ingest ingest;
  private final RegistryClient registry;
  private final Puller puller;
  private final Importer importer;
  private final ReentrantReadWriteLock documents = new ReentrantReadWriteLock();
  private final PullQueue queue = new PullQueue();
  private final Semaphore slots;
  private final Set<Thread> pulling = ConcurrentHashMap.newKeySet();
  private final Thread measuring;

  /** Whether a collection of garbage did not come to its end. */
  private volatile boolean garbage;

  private final String boot;

  private LocalImageStore(ImageStoreConfig config, Kernel kernel, Consumer<String> steps) {
    this.files = new StoreFiles(kernel, config.root());
    this.boot = bootId();
    this.layers = new LayerStore(files);
    this.images = new ImageIndex(files, layers);
    this.snapshots = new SnapshotStore(files, layers);
    this.registry =
        new RegistryClient(
            new RegistryHosts(config.registries()),
            Proxies.of(System.getenv()),
            config.limits().noProgress());
    this.ingest = new Ingest(files.calls(), files.ingest());
    var fetcher = new LayerFetcher(files, layers, ingest, config.limits(), steps);
    this.puller = new Puller(files, images, layers, fetcher, registry, config.policies(), steps);
    this.importer = new Importer(files, puller, config.limits().maxLayerBytes());
    this.slots = new Semaphore(config.limits().parallelPulls(), true);
    this.measuring =
        Thread.ofPlatform().daemon().name("jrt-image-usage").unstarted(this::measureForEver);
  }

  /**
   * Opens the store of a directory and puts in order what an unclean stop left.
   *
   * @throws JrtException FAILED_PRECONDITION when another daemon has it
   */
  public static LocalImageStore open(ImageStoreConfig config, Kernel kernel) {
    return open(config, kernel, step -> {});
  }

  /**
   * The same with someone who is told of each step of a pull, before the next one begins.
   *
   * @param steps may make a step fail, in tests
   */
  public static LocalImageStore open(
      ImageStoreConfig config, Kernel kernel, Consumer<String> steps) {
    var store = new LocalImageStore(config, kernel, steps);
    try {
      store.load();
    } catch (Throwable e) {
      store.files.close();
      throw e;
    }
    return store;
  }

  private void load() {
    String last = lastState();
    boolean powerCut = !last.isEmpty() && !last.equals(CLEAN) && !last.equals(boot);
    if (powerCut) {
      LOG.warn("the node stopped uncleanly: layers are verified at their next use");
    }
    files.resetTemp();
    layers.load(powerCut);
    images.load();
    layers.settle(images.usedLayers());
    snapshots.load();
    // Only now: while this mark is missing, a stop during the load leaves the last state.
    if (!last.equals(boot)) {
      files.note(files.state(), boot.getBytes(StandardCharsets.UTF_8));
    }
    Thread.ofPlatform().daemon().name("jrt-image-clean").start(this::cleanUp);
    measuring.start();
  }

  private String lastState() {
    try {
      return Files.readString(files.state()).strip();
    } catch (java.nio.file.NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw StoreFiles.failed("open image store", files.state(), e);
    }
  }

  private static String bootId() {
    try {
      return Files.readString(BOOT_ID).strip();
    } catch (IOException e) {
      throw StoreFiles.failed("open image store", BOOT_ID, e);
    }
  }

  private void cleanUp() {
    try {
      files.emptyTrash();
      collectGarbage();
    } catch (RuntimeException e) {
      LOG.warn("the image store could not be cleaned", e);
    }
  }

  private void measureForEver() {
    try {
      while (true) {
        long began = System.nanoTime();
        try {
          files.deleteLeft();
          if (garbage) {
            collectGarbage();
          }
          snapshots.measureAll();
        } catch (RuntimeException e) {
          LOG.warn("the use of snapshots could not be measured", e);
        }
        // On a slow disk with large snapshots the walk must not become the load of the node.
        long took = (System.nanoTime() - began) / 1_000_000;
        Thread.sleep(Math.max(MEASURE_EVERY_MILLIS, 20 * took));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public Image pull(PullRequest request, PullListener listener) {
    Reference reference = Reference.parse(request.reference());
    return tracked(reference.toString(), listener, tracker -> puller.pull(request, tracker));
  }

  private interface Work<T> {
    T run(PullTracker tracker);
  }

  private <T> T tracked(String what, PullListener listener, Work<T> work) {
    var tracker =
        new PullTracker(
            what,
            progress -> {
              files
                  .failPoints()
                  .hit("pull-image." + progress.phase().name().toLowerCase(Locale.ROOT));
              listener.progress(progress);
            });
    queue.add(tracker);
    Thread current = Thread.currentThread();
    pulling.add(current);
    boolean slot = false;
    try {
      tracker.phase(PullProgress.Phase.QUEUED, "");
      slots.acquire();
      slot = true;
      T result = withDocuments(tracker, work);
      tracker.phase(PullProgress.Phase.DONE, "");
      return result;
    } catch (InterruptedException e) {
      current.interrupt();
      tracker.phase(PullProgress.Phase.FAILED, "stopped");
      throw new JrtException(ErrorKind.CANCELLED, "pull image", what + ": the pull was stopped", e);
    } catch (JrtException e) {
      tracker.phase(PullProgress.Phase.FAILED, String.valueOf(e.getMessage()));
      if (current.isInterrupted() && e.kind() != ErrorKind.CANCELLED) {
        throw new JrtException(
            ErrorKind.CANCELLED, "pull image", what + ": the pull was stopped", e);
      }
      throw e;
    } catch (RuntimeException e) {
      tracker.phase(PullProgress.Phase.FAILED, String.valueOf(e.getMessage()));
      throw StoreFiles.failed("pull image", files.root(), e);
    } finally {
      if (slot) {
        slots.release();
      }
      pulling.remove(current);
      queue.remove(tracker);
    }
  }

  private <T> T withDocuments(PullTracker tracker, Work<T> work) {
    documents.readLock().lock();
    try {
      return work.run(tracker);
    } finally {
      documents.readLock().unlock();
    }
  }

  @Override
  public Optional<Image> find(String nameOrId) {
    return images.find(nameOrId).map(images::image);
  }

  @Override
  public List<Image> list() {
    return images.list();
  }

  @Override
  public boolean remove(String nameOrId) {
    Optional<ImageIndex.Entry> entry = images.lookUp(nameOrId);
    if (entry.isEmpty()) {
      return false;
    }
    images.remove(entry.get().record().id());
    collectGarbage();
    return true;
  }

  @Override
  public void pin(String reference) {
    Reference parsed = Reference.parse(reference);
    images.pin(parsed.digest().map(parsed::withDigest).orElseGet(parsed::toString));
  }

  @Override
  public List<Image> importArchive(Path source, PullListener listener) {
    return tracked(source.toString(), listener, tracker -> importer.importFrom(source, tracker));
  }

  @Override
  public List<PullProgress> pulls() {
    return queue.list();
  }

  @Override
  public FsUsage imageUsage() {
    return new FsUsage(files.layers(), layers.bytes(), layers.inodes(), Instant.now());
  }

  @Override
  public FsUsage snapshotsUsage() {
    return snapshots.total();
  }

  @Override
  public Snapshot prepareSnapshot(String key, String imageId) {
    ImageIndex.Entry entry = required(imageId, "prepare snapshot");
    List<String> chain = ImageIndex.chain(entry.record());
    layers.lease(chain);
    try {
      return snapshots.prepare(key, entry.record().id(), chain);
    } finally {
      layers.release(chain);
    }
  }

  private ImageIndex.Entry required(String nameOrId, String step) {
    return images
        .find(nameOrId)
        .orElseThrow(
            () ->
                new JrtException(
                    ErrorKind.NOT_FOUND,
                    step,
                    "there is no image " + nameOrId,
                    "pull it first",
                    null));
  }

  @Override
  public Optional<Snapshot> snapshot(String key) {
    return snapshots.find(key);
  }

  @Override
  public void removeSnapshot(String key) {
    snapshots.remove(key);
  }

  @Override
  public Set<String> snapshotKeys() {
    return snapshots.keys();
  }

  @Override
  public FsUsage snapshotUsage(String key) {
    return snapshots.usage(key);
  }

  @Override
  public ImageTree imageTree(String nameOrId) {
    ImageIndex.Entry entry = required(nameOrId, "mount image");
    List<String> chain = ImageIndex.chain(entry.record());
    layers.lease(chain);
    try {
      return new LeasedTree(entry.record().id(), snapshots.lowerOf(chain), chain);
    } catch (Throwable e) {
      layers.release(chain);
      throw e;
    }
  }

  private final class LeasedTree implements ImageTree {
    private final String imageId;
    private final List<Path> lowerDirs;
    private final List<String> chain;
    private final AtomicBoolean open = new AtomicBoolean(true);

    LeasedTree(String imageId, List<Path> lowerDirs, List<String> chain) {
      this.imageId = imageId;
      this.lowerDirs = lowerDirs;
      this.chain = chain;
    }

    @Override
    public String imageId() {
      return imageId;
    }

    @Override
    public List<Path> lowerDirs() {
      return lowerDirs;
    }

    @Override
    public void close() {
      if (open.compareAndSet(true, false)) {
        layers.release(chain);
        collectGarbage();
      }
    }
  }

  @Override
  public void collectGarbage() {
    garbage = true;
    layers.retain(
        () -> {
          Set<String> used = new HashSet<>(images.usedLayers());
          used.addAll(snapshots.usedLayers());
          return used;
        });
    ingest.deleteOld(layers.compressed());
    // While a pull runs its documents are there before the record that names them.
    if (!documents.writeLock().tryLock()) {
      return;
    }
    Set<String> used = images.usedBlobs();
    try (var present = Files.newDirectoryStream(files.blobs())) {
      for (Path blob : present) {
        if (!used.contains(String.valueOf(blob.getFileName()))) {
          Files.deleteIfExists(blob);
        }
      }
      garbage = false;
    } catch (IOException e) {
      throw StoreFiles.failed("collect garbage", files.blobs(), e);
    } finally {
      documents.writeLock().unlock();
    }
  }

  @Override
  public void close() {
    pulling.forEach(Thread::interrupt);
    measuring.interrupt();
    registry.close();
    files.sync(files.syncMark());
    files.writeDurably(files.state(), CLEAN.getBytes(StandardCharsets.UTF_8));
    files.close();
  }
}
