package io.jrt.linux;

import java.util.Optional;

/**
 * A change of a mount's attributes by mount_setattr(2).
 *
 * @param set {@code MOUNT_ATTR_*} bits to set
 * @param clear bits to clear; an atime setting is changed by clearing {@code MOUNT_ATTR_ATIME}
 * @param userNamespace maps ids through this user namespace (an idmapped mount; only on a detached
 *     mount that was not idmapped yet)
 */
public record MountAttributes(
    long set, long clear, Propagation propagation, Optional<Fd> userNamespace) {

  public static final MountAttributes NONE = set(0);

  public static MountAttributes set(long bits) {
    return new MountAttributes(bits, 0, Propagation.UNCHANGED, Optional.empty());
  }

  public static MountAttributes readOnly() {
    return set(MountFlags.MOUNT_ATTR_RDONLY);
  }

  public MountAttributes withClear(long bits) {
    return new MountAttributes(set, bits, propagation, userNamespace);
  }

  public MountAttributes with(Propagation change) {
    return new MountAttributes(set, clear, change, userNamespace);
  }

  public MountAttributes idmapped(Fd userNamespace) {
    return new MountAttributes(set, clear, propagation, Optional.of(userNamespace));
  }
}
