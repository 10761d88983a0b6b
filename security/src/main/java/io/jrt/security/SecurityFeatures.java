package io.jrt.security;

import java.util.List;

/**
 * What this kernel and this machine can do, for Status and for {@code jrt doctor}.
 *
 * @param seccomp empty where it works, else why not
 * @param appArmor empty where it works, else why not
 * @param selinux empty where it works, else why not
 * @param userNamespaces empty where they work, else why not
 * @param capabilities the mask of capabilities this process holds and can hand on
 * @param missingCapabilities names of capabilities the kernel knows and this process lacks
 */
public record SecurityFeatures(
    String seccomp,
    String appArmor,
    String selinux,
    String userNamespaces,
    long capabilities,
    List<String> missingCapabilities) {

  public SecurityFeatures {
    missingCapabilities = List.copyOf(missingCapabilities);
  }
}
