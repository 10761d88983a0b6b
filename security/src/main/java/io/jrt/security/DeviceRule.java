package io.jrt.security;

/**
 * One rule of the device controller; rules are applied in order, the last that matches decides.
 *
 * @param type {@code a} (all), {@code c} or {@code b}
 * @param major device number, or {@link #ANY}
 * @param minor device number, or {@link #ANY}
 * @param access any of {@code r}, {@code w}, {@code m} (mknod)
 */
public record DeviceRule(boolean allow, char type, long major, long minor, String access) {

  /** Every number. */
  public static final long ANY = -1;
}
