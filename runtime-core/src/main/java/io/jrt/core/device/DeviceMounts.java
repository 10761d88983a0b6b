package io.jrt.core.device;

import io.jrt.volumes.MountRequest;
import io.jrt.volumes.MountSource;
import io.jrt.volumes.Propagation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Mounts of CDI devices as volumes. */
public final class DeviceMounts {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,18})([kKmMgG]?)");

  private DeviceMounts() {}

  /**
   * Reads the options, in the words of mount(8).
   *
   * @throws IllegalArgumentException for a size or a mode that is none
   */
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
            mode = mode(option.substring("mode=".length()));
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

  private static int mode(String text) {
    if (!text.matches("[0-7]{1,4}")) {
      throw new IllegalArgumentException("the mode \"%s\" is none".formatted(text));
    }
    return Integer.parseInt(text, 8);
  }

  private static long bytes(String text) {
    Matcher size = SIZE.matcher(text);
    if (!size.matches()) {
      throw noSize(text);
    }
    String unit = size.group(2).toLowerCase(Locale.ROOT);
    int shift = unit.isEmpty() ? 0 : 10 * ("kmg".indexOf(unit) + 1);
    long count = Long.parseLong(size.group(1));
    if (count > Long.MAX_VALUE >> shift) {
      throw noSize(text);
    }
    return count << shift;
  }

  private static IllegalArgumentException noSize(String text) {
    return new IllegalArgumentException("the size \"%s\" is none".formatted(text));
  }
}
