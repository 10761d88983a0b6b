package io.jrt.core.launch;

/**
 * The five capability sets of a process, one bit per capability (bit 0 is CAP_CHOWN). Bits above
 * the kernel's last capability are ignored.
 */
public record Capabilities(
    long bounding, long effective, long permitted, long inheritable, long ambient) {
  public static final Capabilities NONE = new Capabilities(0, 0, 0, 0, 0);

  /**
   * Bounding, effective and permitted as given; nothing inheritable or ambient (CVE-2022-24769).
   */
  public static Capabilities of(long mask) {
    return new Capabilities(mask, mask, mask, 0, 0);
  }
}
