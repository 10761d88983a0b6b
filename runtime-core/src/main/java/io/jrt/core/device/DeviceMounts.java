package io.jrt.core.device;

import io.jrt.volumes.MountRequest;
import io.jrt.volumes.MountSource;
import io.jrt.volumes.Propagation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Mounts of CDI devices as volumes. */
public final class DeviceMounts {
  private DeviceMounts() {}

  /** Reads the options, in the words of mount(8). */
  public static MountRequest request(CdiEdits.Mount mount, boolean userNamespace) {
    boolean readOnly = false;
    boolean recursive = false;
    Propagation propagation = Propagation.PRIVATE;
    long size = 0;
    int mode = 0755;
    List<String> options = new ArrayList<>();
    for (String option : mount.options()) {
      switch (option) {
        case "ro" -> readOnly = true;
        case "rro" -> {
          readOnly = true;
          recursive = true;
        }
        case "private", "rprivate", "bind", "rbind", "rw" -> {
          // as it is anyway
        }
        case "slave", "rslave" -> propagation = Propagation.HOST_TO_CONTAINER;
        case "shared", "rshared" -> propagation = Propagation.BIDIRECTIONAL;
        default -> {
          if (option.startsWith("size=")) {
            size = bytes(option.substring("size=".length()));
          } else if (option.startsWith("mode=")) {
            mode = Integer.parseInt(option.substring("mode=".length()), 8);
          } else {
            options.add(option);
          }
        }
      }
    }
    boolean memory = mount.type().equals("tmpfs");
    return new MountRequest(
        memory
            ? new MountSource.Tmpfs(size, mode)
            : new MountSource.HostPath(Path.of(mount.hostPath())),
        mount.containerPath(),
        readOnly,
        recursive,
        propagation,
        false,
        userNamespace && !memory,
        options);
  }

  private static long bytes(String size) {
    int last = size.length() - 1;
    int shift = last < 0 ? -1 : "kmg".indexOf(Character.toLowerCase(size.charAt(last)));
    return shift < 0
        ? Long.parseLong(size)
        : Long.parseLong(size.substring(0, last)) << (10 * (shift + 1));
  }
}
