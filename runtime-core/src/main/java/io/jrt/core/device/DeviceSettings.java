package io.jrt.core.device;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Settings of devices.
 *
 * @param cdiDirectories where CDI specs lie; the later ones win
 * @param hostRoot where the node's /dev, /proc, /sys and libraries are looked for
 * @param discover whether GPUs that no CDI spec names are found by jrt itself
 * @param visibleDevices whose NVIDIA_VISIBLE_DEVICES asks for GPUs
 * @param ownedByUser whether devices of a CRI request belong to the user and group that the
 *     container runs as, instead of those of the node's file
 * @param checkInterval how often the rules of containers with devices are looked at
 */
public record DeviceSettings(
    List<Path> cdiDirectories,
    Path hostRoot,
    boolean discover,
    VisibleDevices visibleDevices,
    boolean ownedByUser,
    Duration checkInterval) {
  public static final DeviceSettings DEFAULT =
      new DeviceSettings(
          List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi")),
          Path.of("/"),
          true,
          VisibleDevices.POD,
          true,
          Duration.ofSeconds(10));

  public DeviceSettings {
    cdiDirectories = List.copyOf(cdiDirectories);
  }

  /** Who may ask for GPUs by setting NVIDIA_VISIBLE_DEVICES. */
  public enum VisibleDevices {
    /** Nobody. */
    NEVER,
    /** The one who makes the pod: the variable of the request. */
    POD,
    /** The maker of the image too. */
    IMAGE
  }
}
