package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.util.List;
import java.util.Optional;

/**
 * What a container may do, decided: requests in Kubernetes' words go in, masks, programs, labels
 * and rules for the launcher come out.
 */
public final class Security {
  private final SecurityConfig config;

  public Security(Kernel kernel, SecurityConfig config) {
    this.config = config;
    kernel.files();
  }

  /** The capability sets, as far as this process can hand them on. */
  public CapabilitySet capabilities(CapabilityRequest request) {
    return absent(request + "");
  }

  /**
   * The filter of a container with this bounding set; empty for Unconfined. The same profile and
   * mask are compiled once.
   *
   * @param explain have the kernel log each denied call
   * @throws JrtException INVALID for a profile that is wrong, with its file, line and rule;
   *     NOT_FOUND for one that is not there
   */
  public Optional<SeccompFilter> seccomp(
      SecurityProfile profile, long boundingCapabilities, boolean explain) {
    return absent(profile + "");
  }

  /**
   * The AppArmor profile to run under; empty for none. The default is loaded when it is not.
   *
   * @throws JrtException FAILED_PRECONDITION for a Localhost profile that is not loaded, or when
   *     the kernel has no AppArmor
   */
  public Optional<String> appArmor(SecurityProfile profile) {
    return absent(profile + "");
  }

  public Selinux selinux() {
    return absent("selinux");
  }

  /**
   * The device files and rules of a container.
   *
   * @param privileged all devices of the node, and no rule against any
   */
  public DeviceGrant devices(List<DeviceRequest> requests, boolean privileged) {
    return absent(requests + "");
  }

  /** What this machine can do. */
  public SecurityFeatures features() {
    return absent("features");
  }

  @SuppressWarnings("TypeParameterUnusedInFormals") // goes with the first implementation
  private <T> T absent(Object what) {
    if (config.hashCode() == 0 || !what.toString().isEmpty()) {
      throw new JrtException(ErrorKind.UNIMPLEMENTED, "start", what.toString());
    }
    throw new IllegalStateException();
  }
}
