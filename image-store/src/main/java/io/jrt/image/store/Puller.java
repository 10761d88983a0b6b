package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Image;
import io.jrt.image.ImagePolicy;
import io.jrt.image.ImagePolicy.Verdict;
import io.jrt.image.Platform;
import io.jrt.image.PullProgress;
import io.jrt.image.PullRequest;
import io.jrt.image.Reference;
import io.jrt.image.content.ConfigDocument;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.Document;
import io.jrt.image.content.PlatformMatch;
import io.jrt.image.registry.RegistryClient;
import io.jrt.image.registry.RegistrySession;
import io.jrt.image.registry.Served;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One image from a registry: resolve, check, fetch, record. */
final class Puller {
  private static final Logger LOG = LoggerFactory.getLogger(Puller.class);
  private static final int MAX_INDEX_DEPTH = 4;

  private final StoreFiles files;
  private final ImageIndex images;
  private final LayerStore layers;
  private final LayerFetcher fetcher;
  private final RegistryClient registry;
  private final List<ImagePolicy> policies;
  private final Consumer<String> steps;

  Puller(
      StoreFiles files,
      ImageIndex images,
      LayerStore layers,
      LayerFetcher fetcher,
      RegistryClient registry,
      List<ImagePolicy> policies,
      Consumer<String> steps) {
    this.steps = steps;
    this.files = files;
    this.images = images;
    this.layers = layers;
    this.fetcher = fetcher;
    this.registry = registry;
    this.policies = policies;
  }

  Image pull(PullRequest request, PullTracker tracker) {
    Reference reference = Reference.parse(request.reference());
    RegistrySession session = registry.session(reference, request.auth());
    tracker.phase(PullProgress.Phase.RESOLVING, "asks " + session.places());
    Optional<Image> here = alreadyHere(reference, session, request.platform(), tracker);
    if (here.isPresent()) {
      return here.get();
    }
    Served target = session.document();
    Served manifest = choose(reference, session, target, request.platform());
    Document.Manifest content = manifestOf(reference, manifest);
    checkPolicies(session, reference, target.digest(), manifest.digest(), tracker);
    files.putBlob(target.digest(), target.bytes());
    files.putBlob(manifest.digest(), manifest.bytes());
    steps.accept("image.resolved");
    Names names = names(reference, target.digest());
    ImageSource source =
        new ImageSource() {
          @Override
          public byte[] document(Descriptor descriptor) {
            return session.blob(descriptor);
          }

          @Override
          public InputStream layer(Descriptor descriptor, long from) {
            return session.open(descriptor, from);
          }

          @Override
          public Optional<RangedStream.Opener> ranges(Descriptor descriptor) {
            return Optional.of(session.ranges(descriptor)::open);
          }

          @Override
          public boolean isFar() {
            return true;
          }
        };
    return store(
        new Found(reference.toString(), names, content, manifest.descriptor(), request.platform()),
        source,
        tracker);
  }

  /**
   * An image whose bytes can be had.
   *
   * @param what names it in errors
   * @param manifest describes the manifest's own bytes
   */
  record Found(
      String what,
      Names names,
      Document.Manifest content,
      Descriptor manifest,
      Platform platform) {}

  /** The names that an image gets. */
  record Names(List<String> tags, List<String> digests) {}

  /** Fetches configuration and layers, and records the image. */
  Image store(Found found, ImageSource source, PullTracker tracker) {
    Document.Manifest content = found.content();
    content.requireRunnable(found.what());
    Digest id = content.config().digest();
    byte[] bytes = files.getBlob(id).orElseGet(() -> source.document(content.config()));
    ConfigDocument config = ConfigDocument.parse("the configuration of " + found.what(), bytes);
    requireFits(found, config);
    List<ImageRecord.Layer> records = layers(content, config);
    List<String> chain = records.stream().map(ImageIndex::hex).toList();
    layers.lease(chain);
    try {
      List<PullTracker.Layer> progress = tracker.layers(records);
      tracker.phase(PullProgress.Phase.FETCHING, "");
      fetcher.fetch(records, source, progress);
      tracker.phase(PullProgress.Phase.COMMITTING, "");
      files.putBlob(id, bytes);
      steps.accept("image.layers-here");
      Image image =
          images.put(
              new ImageRecord(
                  id.toString(),
                  found.manifest().digest().toString(),
                  found.names().tags(),
                  found.names().digests(),
                  content.contentSize() + found.manifest().size(),
                  records,
                  Instant.now().toString()),
              config);
      steps.accept("image.recorded");
      layers.settle(chain);
      return image;
    } finally {
      layers.release(chain);
    }
  }

  /** No bytes are asked for when the registry says that the name means what is here. */
  private Optional<Image> alreadyHere(
      Reference reference, RegistrySession session, Platform platform, PullTracker tracker) {
    if (reference.digest().isPresent()
        && images
            .byDigest(reference.withDigest(reference.digest().get()))
            .filter(entry -> isUsable(entry, platform))
            .isEmpty()) {
      return Optional.empty();
    }
    Optional<Digest> target = session.resolve();
    if (target.isEmpty()) {
      return Optional.empty();
    }
    for (ImageIndex.Entry entry : images.ofTarget(target.get())) {
      if (isUsable(entry, platform)) {
        checkPolicies(
            session, reference, target.get(), Digest.parse(entry.record().manifest()), tracker);
        Names names = names(reference, target.get());
        tracker.phase(PullProgress.Phase.COMMITTING, "");
        Image image =
            images.put(entry.record().withNames(names.tags(), names.digests()), entry.config());
        // A pull that failed right after its record was written left them as if on the way.
        layers.settle(ImageIndex.chain(entry.record()));
        return Optional.of(image);
      }
    }
    return Optional.empty();
  }

  private boolean isUsable(ImageIndex.Entry entry, Platform platform) {
    return PlatformMatch.runs(entry.config().config().platform(), platform)
        && ImageIndex.chain(entry.record()).stream().allMatch(hex -> layers.find(hex).isPresent());
  }

  private static Names names(Reference reference, Digest target) {
    return new Names(reference.tagged().stream().toList(), List.of(reference.withDigest(target)));
  }

  private static Served choose(
      Reference reference, RegistrySession session, Served target, Platform platform) {
    Served current = target;
    var seen = new HashSet<Digest>();
    for (int depth = 0; depth < MAX_INDEX_DEPTH; depth++) {
      if (!(current.document() instanceof Document.Index index)) {
        return current;
      }
      if (!seen.add(current.digest())) {
        break;
      }
      Descriptor best =
          PlatformMatch.best(index.manifests(), platform)
              .orElseThrow(() -> notFor(reference, platform, index));
      current = session.document(best);
    }
    if (current.document() instanceof Document.Index) {
      throw new JrtException(
          ErrorKind.INVALID,
          "resolve image",
          reference + " has indexes inside indexes, more than " + MAX_INDEX_DEPTH + " deep");
    }
    return current;
  }

  private static JrtException notFor(Reference reference, Platform platform, Document.Index index) {
    var offered = new ArrayList<String>();
    for (Descriptor entry : index.manifests()) {
      if (!entry.isAttestation()) {
        entry.platform().map(Platform::toString).ifPresent(offered::add);
      }
    }
    return new JrtException(
        ErrorKind.NOT_FOUND,
        "resolve image",
        reference
            + " is not there for "
            + platform
            + (offered.isEmpty() ? "" : ", only for " + String.join(", ", offered)));
  }

  private static Document.Manifest manifestOf(Reference reference, Served served) {
    return switch (served.document()) {
      case Document.Manifest manifest -> manifest;
      case Document.Index _ ->
          throw new JrtException(
              ErrorKind.INVALID, "resolve image", reference + " leads to no manifest");
    };
  }

  private static void requireFits(Found found, ConfigDocument config) {
    Platform offered = config.config().platform();
    if (!offered.os().isEmpty() && !PlatformMatch.runs(offered, found.platform())) {
      throw new JrtException(
          ErrorKind.NOT_FOUND,
          "resolve image",
          found.what() + " is built for " + offered + ", this node is " + found.platform());
    }
    int layers = found.content().layers().size();
    if (config.diffIds().size() != layers) {
      throw new JrtException(
          ErrorKind.INVALID,
          "read image",
          found.what()
              + " has "
              + layers
              + " layers, but its configuration names "
              + config.diffIds().size());
    }
  }

  private static List<ImageRecord.Layer> layers(Document.Manifest manifest, ConfigDocument config) {
    List<Digest> chain = config.chainIds();
    var layers = new ArrayList<ImageRecord.Layer>();
    for (int i = 0; i < chain.size(); i++) {
      Descriptor layer = manifest.layers().get(i);
      layers.add(
          new ImageRecord.Layer(
              chain.get(i).toString(),
              config.diffIds().get(i).toString(),
              layer.digest().toString(),
              layer.size(),
              layer.mediaType()));
    }
    return layers;
  }

  private void checkPolicies(
      RegistrySession session,
      Reference reference,
      Digest target,
      Digest manifest,
      PullTracker tracker) {
    if (policies.isEmpty()) {
      return;
    }
    tracker.phase(PullProgress.Phase.CHECKING, "");
    var subject =
        new ImagePolicy.Subject(
            reference.toString(),
            reference.registry(),
            reference.repository(),
            target.toString(),
            manifest.toString());
    for (ImagePolicy policy : policies) {
      switch (policy.check(subject, new SessionBeside(session))) {
        case Verdict.Allowed _ -> {}
        case Verdict.Warned warned -> {
          LOG.warn("policy {} on {}: {}", policy.name(), reference, warned.reason());
          tracker.phase(PullProgress.Phase.CHECKING, policy.name() + ": " + warned.reason());
        }
        case Verdict.Denied denied ->
            throw new JrtException(
                ErrorKind.DENIED,
                denied.signature() ? "verify signature" : "check image policy",
                "policy " + policy.name() + " denies " + reference + ": " + denied.reason());
      }
    }
  }
}
