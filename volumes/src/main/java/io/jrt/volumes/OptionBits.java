package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.MountFlags;
import java.util.List;

/**
 * The words of a mount's options as attribute bits.
 *
 * @param set on the mount itself
 * @param clear on the mount itself
 */
record OptionBits(long set, long clear) {

  static OptionBits parse(List<String> options, String destination) {
    long set = 0;
    long clear = 0;
    for (String option : options) {
      long bits =
          switch (option) {
            case "ro" -> MountFlags.MOUNT_ATTR_RDONLY;
            case "nosuid" -> MountFlags.MOUNT_ATTR_NOSUID;
            case "nodev" -> MountFlags.MOUNT_ATTR_NODEV;
            case "noexec" -> MountFlags.MOUNT_ATTR_NOEXEC;
            case "nosymfollow" -> MountFlags.MOUNT_ATTR_NOSYMFOLLOW;
            case "nodiratime" -> MountFlags.MOUNT_ATTR_NODIRATIME;
            case "noatime" -> {
              clear |= MountFlags.MOUNT_ATTR_ATIME;
              yield MountFlags.MOUNT_ATTR_NOATIME;
            }
            case "strictatime" -> {
              clear |= MountFlags.MOUNT_ATTR_ATIME;
              yield MountFlags.MOUNT_ATTR_STRICTATIME;
            }
            case "relatime" -> {
              clear |= MountFlags.MOUNT_ATTR_ATIME;
              yield MountFlags.MOUNT_ATTR_RELATIME;
            }
            // The absence of a restriction asks for nothing: one that the source's own mount has
            // is the administrator's and stays.
            case "rw", "suid", "dev", "exec", "bind", "rbind", "" -> 0;
            default ->
                throw new JrtException(
                    ErrorKind.INVALID,
                    "check mounts",
                    "mount option \"%s\" of %s is unknown".formatted(option, destination));
          };
      set |= bits;
    }
    return new OptionBits(set, clear);
  }
}
