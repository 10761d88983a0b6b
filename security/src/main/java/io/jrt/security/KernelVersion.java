package io.jrt.security;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The first two numbers of a kernel's release. */
record KernelVersion(int major, int minor) {
  private static final Pattern RELEASE = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");

  /** From {@code 6.18.44-generic}; what cannot be read counts as the oldest. */
  static KernelVersion parse(String release) {
    Matcher matcher = RELEASE.matcher(release.strip());
    return matcher.matches()
        ? new KernelVersion(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)))
        : new KernelVersion(0, 0);
  }

  boolean isAtLeast(String majorMinor) {
    KernelVersion other = parse(majorMinor);
    return major > other.major || (major == other.major && minor >= other.minor);
  }
}
