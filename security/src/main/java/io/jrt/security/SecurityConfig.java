package io.jrt.security;

import java.nio.file.Path;

/**
 * What an administrator can set about isolation.
 *
 * @param cacheDir below the daemon's root: where compiled filters are kept over restarts
 * @param appArmorProfile name of the profile loaded for RuntimeDefault
 * @param selinux whether containers are labelled where the kernel has SELinux
 * @param selinuxCategories how many MCS categories there are to draw pairs from, at most 1024
 */
public record SecurityConfig(
    Path cacheDir, String appArmorProfile, boolean selinux, int selinuxCategories) {

  /** The defaults, with the cache below this directory. */
  public static SecurityConfig defaults(Path cacheDir) {
    return new SecurityConfig(cacheDir, "jrt-default", true, 1024);
  }
}
