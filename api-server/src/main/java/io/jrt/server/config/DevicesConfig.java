package io.jrt.server.config;

import io.jrt.core.device.DeviceSettings;
import io.jrt.core.device.DeviceSettings.VisibleDevices;
import java.nio.file.Path;
import java.util.List;

/** Where devices are found, and who may have them. */
public record DevicesConfig(
    @Doc("Directories with CDI specs; the later ones win.") List<Path> cdiDirs,
    @Doc(
            "Below what /dev, /proc, /sys and a driver's libraries are looked for when GPUs are"
                + " found by jrt itself; another directory than / serves to try it out.")
        Path hostRoot,
    @Doc("Whether GPUs that no CDI spec names are found by jrt itself.") boolean discover,
    @Doc(
            "Whose NVIDIA_VISIBLE_DEVICES asks for GPUs: never, pod (the variable as the request"
                + " sets it) or image (the image's too). It counts only where no CDI device is"
                + " named.")
        VisibleDevices visibleDevices,
    @Doc(
            "Whether a device that is handed in belongs to the user that the container runs as;"
                + " else to the owner of the node's file.")
        boolean ownedByUser) {

  public static final DevicesConfig DEFAULT =
      new DevicesConfig(
          DeviceSettings.DEFAULT.cdiDirectories(),
          DeviceSettings.DEFAULT.hostRoot(),
          DeviceSettings.DEFAULT.discover(),
          DeviceSettings.DEFAULT.visibleDevices(),
          DeviceSettings.DEFAULT.ownedByUser());

  public DevicesConfig {
    cdiDirs = List.copyOf(cdiDirs);
  }

  /** As the runtime takes it. */
  public DeviceSettings toCore() {
    return new DeviceSettings(
        cdiDirs,
        hostRoot,
        discover,
        visibleDevices,
        ownedByUser,
        DeviceSettings.DEFAULT.checkInterval());
  }
}
