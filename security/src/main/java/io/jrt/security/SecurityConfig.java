package io.jrt.security;

/**
 * What an administrator can set about isolation.
 *
 * @param appArmorProfile name of the profile loaded for RuntimeDefault
 * @param selinux whether containers are labelled where the kernel has SELinux
 * @param selinuxCategories how many MCS categories there are to draw pairs from, 2 to 1024
 */
public record SecurityConfig(String appArmorProfile, boolean selinux, int selinuxCategories) {

  /** What holds when nothing is configured. */
  public static final SecurityConfig DEFAULT = new SecurityConfig("jrt-default", true, 1024);
}
