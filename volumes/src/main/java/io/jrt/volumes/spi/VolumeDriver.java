package io.jrt.volumes.spi;

import java.nio.file.Path;
import java.util.Map;

/**
 * A kind of named volume. jrt keeps the record and the use counts; a driver makes the content
 * available as a directory of this node.
 *
 * <p>All calls may be repeated after a crash with the same arguments and must then succeed again. A
 * failure is an {@link io.jrt.errors.JrtException}.
 */
public interface VolumeDriver {

  /** The name by which a volume chooses it. */
  String name();

  /**
   * Makes the content.
   *
   * @param directory an empty directory of the driver's own for this volume
   * @param sizeBytes the most it may hold, 0 for no limit; a driver that cannot limit refuses
   */
  void create(String volume, Path directory, long sizeBytes, Map<String, String> options);

  /** The directory with the content, ready to be bind-mounted, before the first user. */
  Path activate(String volume, Path directory, Map<String, String> options);

  /** The last user is gone. */
  void deactivate(String volume, Path directory);

  /** Removes the content; the directory itself is removed by jrt. */
  void remove(String volume, Path directory);
}
