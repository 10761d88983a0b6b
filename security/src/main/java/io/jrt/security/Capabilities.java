package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Names of capabilities to masks and back, and the sets a container starts with. */
public final class Capabilities {
  /** The starting set of a container that asks for nothing: containerd's and Docker's fourteen. */
  public static final long DEFAULT =
      mask(
          Capability.CHOWN,
          Capability.DAC_OVERRIDE,
          Capability.FSETID,
          Capability.FOWNER,
          Capability.MKNOD,
          Capability.NET_RAW,
          Capability.SETGID,
          Capability.SETUID,
          Capability.SETFCAP,
          Capability.SETPCAP,
          Capability.NET_BIND_SERVICE,
          Capability.SYS_CHROOT,
          Capability.KILL,
          Capability.AUDIT_WRITE);

  /** Every capability that this code has a name for. */
  public static final long ALL = mask(Capability.values());

  private static final String STEP = "decide capabilities";
  private static final String ALL_NAME = "ALL";

  private Capabilities() {}

  /** The mask of these capabilities. */
  public static long mask(Capability... capabilities) {
    long mask = 0;
    for (Capability capability : capabilities) {
      mask |= capability.bit();
    }
    return mask;
  }

  /**
   * The mask of these names; {@code ALL} is every capability.
   *
   * @throws JrtException INVALID for a name that is no capability
   */
  public static long mask(List<String> names) {
    long mask = 0;
    for (String name : names) {
      if (name.toUpperCase(Locale.ROOT).equals(ALL_NAME)) {
        mask |= ALL;
      } else {
        mask |=
            Capability.named(name)
                .orElseThrow(
                    () ->
                        new JrtException(
                            ErrorKind.INVALID, STEP, "unknown capability \"" + name + "\""))
                .bit();
      }
    }
    return mask;
  }

  /** The names in a mask, with {@code CAP_}, in the order of their numbers. */
  public static List<String> names(long mask) {
    List<String> names = new ArrayList<>();
    for (Capability capability : Capability.values()) {
      if ((mask & capability.bit()) != 0) {
        names.add(capability.fullName());
      }
    }
    return names;
  }

  /**
   * The sets a container's first process gets.
   *
   * <p>First {@code ALL} among the adds fills the set, then {@code ALL} among the drops empties it;
   * then single names are added and last single names are dropped, so that "drop ALL, add
   * NET_BIND_SERVICE" and "add ALL, drop SYS_ADMIN" both mean what they say. A name only in the
   * ambient list is added as well, as CRI has it.
   *
   * @param available the mask this process itself can hand on; what is beyond is left out and named
   *     in {@link CapabilitySet#missing()}
   */
  public static CapabilitySet resolve(CapabilityRequest request, long available) {
    long wanted = request.privileged() ? ALL : DEFAULT;
    if (namesAll(request.add())) {
      wanted = ALL;
    }
    if (namesAll(request.drop())) {
      wanted = 0;
    }
    long asked = mask(withoutAll(request.add())) | mask(request.ambient());
    long dropped = mask(withoutAll(request.drop()));
    wanted = (wanted | asked) & ~dropped;
    long granted = wanted & available;
    long ambient = mask(request.ambient()) & granted;
    // "All" means all there are; only what was named, or is owed by default, can be missing.
    long missing = wanted & (asked | DEFAULT) & ~available;
    return new CapabilitySet(granted, granted, granted, ambient, ambient, names(missing));
  }

  private static boolean namesAll(List<String> names) {
    return names.stream().anyMatch(name -> name.toUpperCase(Locale.ROOT).equals(ALL_NAME));
  }

  private static List<String> withoutAll(List<String> names) {
    return names.stream().filter(name -> !name.toUpperCase(Locale.ROOT).equals(ALL_NAME)).toList();
  }
}
