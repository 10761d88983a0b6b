package io.jrt.volumes;

import java.util.Map;

/**
 * A volume to be made.
 *
 * @param name {@code [a-zA-Z0-9][a-zA-Z0-9_.-]*}, at most 128 characters
 * @param driver {@code local}, or that of a plug-in
 * @param sizeBytes the most it may hold, 0 for no limit
 * @param options for the driver
 */
public record VolumeSpec(
    String name,
    String driver,
    long sizeBytes,
    Map<String, String> labels,
    Map<String, String> options) {

  /** The built-in driver. */
  public static final String LOCAL = "local";

  public VolumeSpec {
    labels = Map.copyOf(labels);
    options = Map.copyOf(options);
  }

  /** A local volume without a limit. */
  public static VolumeSpec local(String name) {
    return new VolumeSpec(name, LOCAL, 0, Map.of(), Map.of());
  }
}
