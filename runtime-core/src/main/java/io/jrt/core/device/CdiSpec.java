package io.jrt.core.device;

import java.util.List;
import java.util.Map;

/**
 * One CDI spec.
 *
 * @param origin the file it was read from, or what made it
 * @param kind {@code vendor/class} of all its devices
 * @param edits applied once, if any of its devices is
 */
public record CdiSpec(
    String origin,
    String version,
    String kind,
    Map<String, String> annotations,
    List<Device> devices,
    CdiEdits edits) {
  public CdiSpec {
    annotations = Map.copyOf(annotations);
    devices = List.copyOf(devices);
  }

  /** A device with what it changes. */
  public record Device(String name, Map<String, String> annotations, CdiEdits edits) {
    public Device {
      annotations = Map.copyOf(annotations);
    }

    public static Device of(String name, CdiEdits edits) {
      return new Device(name, Map.of(), edits);
    }
  }
}
