package io.jrt.server.image;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.op.OperationObserver;
import io.jrt.core.op.Steps;
import io.jrt.errors.JrtException;
import io.jrt.events.ImageEvent;
import io.jrt.image.ClaimCheck;
import io.jrt.image.FsUsage;
import io.jrt.image.Image;
import io.jrt.image.ImageConfig;
import io.jrt.image.ImageStore;
import io.jrt.image.LayerProgress;
import io.jrt.image.PullListener;
import io.jrt.image.PullProgress;
import io.jrt.image.PullProgress.Phase;
import io.jrt.image.PullRequest;
import io.jrt.image.Reference;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import tools.jackson.databind.json.JsonMapper;

/** The image store, and the events of what is done to it. */
public final class Images {
  private final ImageStore store;
  private final ContainerRuntime runtime;
  private final JsonMapper json = JsonMapper.builder().build();
  private final List<OperationObserver> observers = new CopyOnWriteArrayList<>();

  public Images(ImageStore store, ContainerRuntime runtime) {
    this.store = store;
    this.runtime = runtime;
  }

  /** Lets somebody hear of the pulls that begin from now on. */
  public void observe(OperationObserver observer) {
    observers.add(observer);
  }

  private static String step(Phase phase) {
    return phase.name().toLowerCase(Locale.ROOT);
  }

  /** The images that are here; those of one name only, unless it is empty. */
  public List<Image> list(String nameOrId) {
    return nameOrId.isEmpty() ? store.list() : store.find(nameOrId).stream().toList();
  }

  public Optional<Image> find(String nameOrId) {
    return store.find(nameOrId);
  }

  /** Fetches an image, and tells that it came or why it did not. */
  public Image pull(PullRequest request, PullListener listener) {
    Instant since = Instant.now();
    var bytes = new AtomicLong();
    var steps = new Steps(observers, "pull image", request.reference(), step(Phase.QUEUED));
    Optional<Throwable> failure = Optional.empty();
    try {
      Image image =
          store.pull(
              request,
              progress -> {
                bytes.set(progress.doneBytes());
                switch (progress.phase()) {
                  case QUEUED, RESOLVING, CHECKING, FETCHING, COMMITTING ->
                      steps.at(step(progress.phase()));
                  case DONE, FAILED -> {}
                }
                listener.progress(progress);
              });
      runtime
          .events()
          .publish(
              new ImageEvent.Pulled(
                  request.reference(),
                  image.id(),
                  bytes.get(),
                  Duration.between(since, Instant.now()).toMillis()));
      return image;
    } catch (RuntimeException e) {
      failure = Optional.of(e);
      if (e instanceof JrtException known) {
        runtime
            .events()
            .publish(
                new ImageEvent.PullFailed(
                    request.reference(), known.step(), String.valueOf(e.getMessage())));
      }
      throw e;
    } finally {
      steps.end(failure);
    }
  }

  /** The pulls and imports under way, oldest first. */
  public List<PullProgress> pulls() {
    return store.pulls();
  }

  /** How far the pull of a name is, as one JSON document for people; empty when there is none. */
  public Optional<String> underWay(String name) {
    String reference;
    try {
      reference = Reference.parse(name).toString();
    } catch (JrtException e) {
      // An image's ID is no name of something to pull.
      return Optional.empty();
    }
    return store.pulls().stream()
        .filter(progress -> progress.reference().equals(reference))
        .findFirst()
        .map(this::shown);
  }

  private String shown(PullProgress progress) {
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("phase", progress.phase().name().toLowerCase(Locale.ROOT));
    shown.put("detail", progress.detail());
    shown.put("since", progress.since().toString());
    shown.put("doneBytes", progress.doneBytes());
    shown.put("totalBytes", progress.totalBytes());
    shown.put("bytesPerSecond", progress.bytesPerSecond());
    progress.eta().ifPresent(left -> shown.put("secondsLeft", left.toSeconds()));
    List<Map<String, Object>> layers = new ArrayList<>();
    for (LayerProgress layer : progress.layers()) {
      layers.add(
          Map.of(
              "digest", layer.digest(),
              "phase", layer.phase().name().toLowerCase(Locale.ROOT),
              "size", layer.size(),
              "fetched", layer.fetched()));
    }
    shown.put("layers", layers);
    return json.writeValueAsString(shown);
  }

  /**
   * Keeps the image of a name from the kubelet's garbage collection, as long as this daemon runs.
   */
  public void pin(String name) {
    store.pin(name);
  }

  /** Reads the images of an archive or a layout. */
  public List<Image> importArchive(Path source) {
    List<Image> images = store.importArchive(source, PullListener.NONE);
    for (Image image : images) {
      String name = image.repoTags().isEmpty() ? image.id() : image.repoTags().getFirst();
      runtime.events().publish(new ImageEvent.Imported(name, image.id()));
    }
    return images;
  }

  /** Removes an image with all its names; nothing happens for one that is not here. */
  public void remove(String nameOrId) {
    if (store.find(nameOrId).isPresent()) {
      runtime.removeImage(nameOrId);
    }
  }

  /** What images take of the disk. */
  public FsUsage imageUsage() {
    return store.imageUsage();
  }

  /** What the writable parts of containers take of the disk. */
  public FsUsage containerUsage() {
    return store.snapshotsUsage();
  }

  /** All that is known of an image, as one JSON document for people. */
  public String inspect(Image image) {
    ImageConfig config = image.config();
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("id", image.id());
    shown.put("tags", image.repoTags());
    shown.put("digests", image.repoDigests());
    shown.put("size", image.size());
    shown.put("pinned", image.pinned());
    shown.put("pulledAt", image.pulledAt().toString());
    shown.put("platform", config.platform().toString());
    shown.put("layers", image.layers());
    shown.put("created", config.created().through(ClaimCheck.DISPLAY));
    shown.put("user", config.user().through(ClaimCheck.DISPLAY));
    shown.put("env", config.env().through(ClaimCheck.DISPLAY_LIST));
    shown.put("entrypoint", config.entrypoint().through(ClaimCheck.DISPLAY_LIST));
    shown.put("cmd", config.cmd().through(ClaimCheck.DISPLAY_LIST));
    shown.put("workingDir", config.workingDir().through(ClaimCheck.DISPLAY));
    shown.put("labels", config.labels().through(ClaimCheck.DISPLAY_LABELS));
    shown.put("volumes", config.volumes().through(ClaimCheck.DISPLAY_LIST));
    shown.put("exposedPorts", config.exposedPorts().through(ClaimCheck.DISPLAY_LIST));
    shown.put("stopSignal", config.stopSignal().through(ClaimCheck.DISPLAY));
    return json.writeValueAsString(shown);
  }
}
