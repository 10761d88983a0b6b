package io.jrt.image;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Where a pull or an import stands.
 *
 * @param id unique while the daemon lives
 * @param reference the full name that is pulled, or the path that is imported
 * @param since when it was asked for
 * @param at when this was true
 * @param phase of the whole
 * @param detail one short sentence: the registry asked, the reason of a wait, of a retry or of the
 *     failure; may be empty
 * @param bytesPerSecond fetched in the last seconds
 * @param layers of the image, the base first; empty until they are known
 */
public record PullProgress(
    String id,
    String reference,
    Instant since,
    Instant at,
    Phase phase,
    String detail,
    long bytesPerSecond,
    List<LayerProgress> layers) {

  /** What a pull as a whole is doing. */
  public enum Phase {
    /** Waits for its turn among the pulls of the node. */
    QUEUED,
    /** Asks registries what the name means. */
    RESOLVING,
    /** Asks the policies of the node. */
    CHECKING,
    /** Fetches and unpacks layers. */
    FETCHING,
    /** Brings the last bytes to the disk and writes the record. */
    COMMITTING,
    /** Is here. */
    DONE,
    /** Ended without an image. */
    FAILED
  }

  public PullProgress {
    layers = List.copyOf(layers);
  }

  /** Compressed bytes of all layers; 0 until they are known. */
  public long totalBytes() {
    return layers.stream().mapToLong(LayerProgress::size).sum();
  }

  /** Compressed bytes that are here. */
  public long doneBytes() {
    return layers.stream().mapToLong(LayerProgress::fetched).sum();
  }

  /** Time left at the speed of the last seconds, if anything can be said. */
  public Optional<Duration> eta() {
    long left = totalBytes() - doneBytes();
    return phase == Phase.FETCHING && bytesPerSecond > 0
        ? Optional.of(Duration.ofMillis(left * 1000 / bytesPerSecond))
        : Optional.empty();
  }
}
