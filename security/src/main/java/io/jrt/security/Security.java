package io.jrt.security;

import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a container may do, decided: requests in Kubernetes' words go in, masks, programs, labels
 * and rules for the launcher come out.
 */
public final class Security {
  private final Kernel kernel;
  private final SeccompProfiles seccomp;
  private final AppArmor appArmor;
  private final Selinux selinux;
  private final SecurityConfig config;
  private final Devices devices;
  private final long available;

  public Security(Kernel kernel, SecurityConfig config) {
    this.kernel = kernel;
    this.config = config;
    this.seccomp = new SeccompProfiles(kernel);
    this.appArmor = new AppArmor(config.appArmorProfile());
    this.selinux = new SelinuxModule(config.selinux(), config.selinuxCategories());
    this.devices = new Devices(kernel.files());
    this.available = kernel.processes().capabilities().permitted();
  }

  /** The capability sets, as far as this process can hand them on. */
  public CapabilitySet capabilities(CapabilityRequest request) {
    return Capabilities.resolve(request, available);
  }

  /**
   * The filter of a container with this bounding set; empty for Unconfined. The same profile and
   * mask are compiled once.
   *
   * @param explain have the kernel log each denied call, see {@link SeccompLog}
   * @throws JrtException INVALID for a profile that is wrong, with its file, line and rule;
   *     NOT_FOUND for one that is not there
   */
  public Optional<SeccompFilter> seccomp(
      SecurityProfile profile, long boundingCapabilities, boolean explain) {
    return seccomp.filter(profile, boundingCapabilities, explain);
  }

  /**
   * The AppArmor profile to run under; empty for none, as where the kernel has no AppArmor or the
   * node no apparmor_parser, which {@link #features()} tells. The default is loaded when it is not.
   *
   * @throws JrtException FAILED_PRECONDITION for a Localhost profile that is not loaded, or when
   *     the kernel has no AppArmor
   */
  public Optional<String> appArmor(SecurityProfile profile) {
    return appArmor.choose(profile);
  }

  public Selinux selinux() {
    return selinux;
  }

  /**
   * The device files and rules of a container.
   *
   * @param privileged all devices of the node, and no rule against any
   */
  public DeviceGrant devices(List<DeviceRequest> requests, boolean privileged) {
    return devices.grant(requests, privileged);
  }

  /** The device rules that a container has whatever it asks for; those of a grant begin so. */
  public List<DeviceRule> deviceRules(boolean privileged) {
    return Devices.rules(privileged);
  }

  /** What this machine can do. */
  public SecurityFeatures features() {
    long known = 0;
    int last = kernel.processes().lastCapability();
    for (Capability capability : Capability.values()) {
      if (capability.number() <= last) {
        known |= capability.bit();
      }
    }
    return new SecurityFeatures(
        seccompUnavailable(),
        appArmor.defaultUnavailable(),
        selinuxUnavailable(),
        userNamespacesUnavailable(),
        available,
        Capabilities.names(known & ~available));
  }

  private String seccompUnavailable() {
    if (!Files.exists(Path.of("/proc/sys/kernel/seccomp/actions_avail"))) {
      return "not in this kernel";
    }
    try {
      return kernel.seccomp().version().isEmpty() ? "libseccomp is missing" : "";
    } catch (JrtException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private String selinuxUnavailable() {
    if (selinux.enabled()) {
      return "";
    }
    return config.selinux() ? "not active in this kernel" : "switched off in the configuration";
  }

  private static String userNamespacesUnavailable() {
    if (!Files.exists(Path.of("/proc/self/ns/user"))) {
      return "not in this kernel";
    }
    try {
      String limit = Files.readString(Path.of("/proc/sys/user/max_user_namespaces")).strip();
      return limit.equals("0") ? "user.max_user_namespaces is 0" : "";
    } catch (IOException e) {
      return "the limit of user namespaces cannot be read: " + e.getMessage();
    }
  }
}
