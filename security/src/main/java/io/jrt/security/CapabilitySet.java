package io.jrt.security;

import java.util.List;

/**
 * The capabilities of a process as 64-bit masks, bit n being capability number n of {@code
 * capabilities(7)}.
 *
 * <p>The inheritable mask is always empty (CVE-2022-24769) but for the ambient capabilities, which
 * the kernel only grants when they are inheritable too.
 *
 * @param missing what was asked for and this process does not hold itself; it was left out
 */
public record CapabilitySet(
    long bounding,
    long effective,
    long permitted,
    long inheritable,
    long ambient,
    List<String> missing) {

  public CapabilitySet {
    missing = List.copyOf(missing);
  }
}
