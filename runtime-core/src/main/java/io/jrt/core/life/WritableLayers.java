package io.jrt.core.life;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Snapshot;
import io.jrt.volumes.DirectoryQuota;
import io.jrt.volumes.VolumeUsage;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much a container may write into its root, by project quota of the file system that the
 * snapshots lie on. The limit is on the snapshot's directory, so that copies which overlayfs makes
 * in its work directory count, too, and it outlives daemons.
 */
final class WritableLayers {
  /** Of a pod, for each of its containers; a Kubernetes quantity, 0 for no limit. */
  static final String ANNOTATION = "jrt.io/writable-layer-limit";

  private static final String STEP = "limit writable layer";
  private static final Pattern QUANTITY = Pattern.compile("(\\d{1,15})(|[kKMGT]|[KMGT]i)B?");
  private static final String PREFIXES = "kmgt";

  private final Wiring wiring;
  private final Limitations limitations;

  WritableLayers(Wiring wiring, Limitations limitations) {
    this.wiring = wiring;
    this.limitations = limitations;
  }

  /** The bytes that each container of a pod may write, 0 for no limit. */
  long limit(Map<String, String> annotations) {
    String asked = annotations.get(ANNOTATION);
    return asked == null ? wiring.config().writableLayerBytes() : bytes(asked);
  }

  /** What a quantity such as {@code 512Mi}, {@code 1G} or {@code 1048576} means. */
  static long bytes(String quantity) {
    Matcher matcher = QUANTITY.matcher(quantity.strip());
    if (!matcher.matches()) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "annotation %s is \"%s\" and no size".formatted(ANNOTATION, quantity),
          "write it like 512Mi or 10Gi",
          null);
    }
    String unit = matcher.group(2).toLowerCase(Locale.ROOT);
    int power = unit.isEmpty() ? 0 : PREFIXES.indexOf(unit.charAt(0)) + 1;
    long base = unit.endsWith("i") ? 1024 : 1000;
    try {
      long bytes = Long.parseLong(matcher.group(1));
      for (int i = 0; i < power; i++) {
        bytes = Math.multiplyExact(bytes, base);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "annotation %s is \"%s\", which is too much".formatted(ANNOTATION, quantity),
          e);
    }
  }

  /**
   * Limits a new snapshot.
   *
   * @throws JrtException FAILED_PRECONDITION where the file system cannot limit it and the
   *     configuration does not let that pass
   */
  void apply(Snapshot snapshot, long bytes) {
    if (bytes == 0) {
      return;
    }
    Path directory = directory(snapshot);
    Optional<String> unsupported = quota().unsupported(directory);
    if (unsupported.isPresent() && !wiring.config().requireWritableLayerLimit()) {
      limitations.addAll(
          List.of(
              "writable layers of containers have no limit: the file system of "
                  + directory.getParent()
                  + " has no project quota"));
      return;
    }
    quota().limit(directory, bytes, 0);
  }

  /** What a limited layer holds and may hold; empty for one without a limit. */
  Optional<VolumeUsage> usage(String containerId) {
    return wiring
        .images()
        .snapshot(containerId)
        .flatMap(snapshot -> quota().usage(directory(snapshot)))
        .filter(usage -> usage.byteLimit() > 0);
  }

  /** Removes a snapshot and gives its quota back. */
  void remove(String containerId) {
    wiring.images().snapshot(containerId).ifPresent(found -> quota().release(directory(found)));
    wiring.images().removeSnapshot(containerId);
  }

  private DirectoryQuota quota() {
    return wiring.volumes().quota();
  }

  /** The one that holds what is written and overlayfs' own. */
  private static Path directory(Snapshot snapshot) {
    Path parent = snapshot.upper().getParent();
    return parent == null ? snapshot.upper() : parent;
  }
}
