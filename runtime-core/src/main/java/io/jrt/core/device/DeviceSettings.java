package io.jrt.core.device;

import java.nio.file.Path;
import java.util.List;

/**
 * Settings of devices.
 *
 * @param cdiDirectories where CDI specs lie; the later ones win
 * @param hostRoot where the node's /dev, /proc, /sys and libraries are looked for
 * @param discover whether GPUs that no CDI spec names are found by jrt itself
 * @param visibleDevices whether NVIDIA_VISIBLE_DEVICES, set by a pod, asks for GPUs; an image's
 *     never does
 * @param ownedByUser whether devices of a CRI request belong to the user and group that the
 *     container runs as, instead of those of the node's file
 */
public record DeviceSettings(
    List<Path> cdiDirectories,
    Path hostRoot,
    boolean discover,
    boolean visibleDevices,
    boolean ownedByUser) {
  public static final DeviceSettings DEFAULT =
      new DeviceSettings(
          List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi")), Path.of("/"), true, false, false);

  public DeviceSettings {
    cdiDirectories = List.copyOf(cdiDirectories);
  }
}
