package io.jrt.linux;

/** The 64-bit packing of a device's major and minor number that the C library uses. */
public final class DeviceNumber {
  private DeviceNumber() {}

  public static long of(int major, int minor) {
    long ma = major & 0xffffffffL;
    long mi = minor & 0xffffffffL;
    return ((ma & 0xfffL) << 8) | ((ma & ~0xfffL) << 32) | (mi & 0xffL) | ((mi & ~0xffL) << 12);
  }

  public static int major(long device) {
    return (int) (((device >>> 8) & 0xfffL) | ((device >>> 32) & ~0xfffL));
  }

  public static int minor(long device) {
    return (int) ((device & 0xffL) | ((device >>> 12) & ~0xffL));
  }
}
