package io.jrt.core.device;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.regex.Pattern;

/**
 * The full name of a CDI device, {@code vendor/class=device}.
 *
 * @param vendor like a domain name
 * @param type the class within the vendor's devices
 */
public record CdiName(String vendor, String type, String device) {
  private static final Pattern VENDOR = Pattern.compile("[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?");
  private static final Pattern CLASS = Pattern.compile("[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?");
  private static final Pattern DEVICE =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?");
  private static final int LONGEST_CLASS = 63;

  /** Reads a name. */
  public static CdiName parse(String text) {
    int equals = text.indexOf('=');
    int slash = text.indexOf('/');
    if (equals < 0 || slash < 0 || slash > equals) {
      throw invalid(text, "is not vendor/class=name");
    }
    CdiName name =
        new CdiName(
            text.substring(0, slash),
            text.substring(slash + 1, equals),
            text.substring(equals + 1));
    if (!isKind(name.kind())) {
      throw invalid(text, "has a vendor or class that is not allowed");
    }
    if (!isDevice(name.device)) {
      throw invalid(text, "has a device name that is not allowed");
    }
    return name;
  }

  /** {@code vendor/class}. */
  public String kind() {
    return vendor + "/" + type;
  }

  static boolean isKind(String kind) {
    int slash = kind.indexOf('/');
    return slash > 0
        && VENDOR.matcher(kind.substring(0, slash)).matches()
        && kind.length() - slash - 1 <= LONGEST_CLASS
        && CLASS.matcher(kind.substring(slash + 1)).matches();
  }

  static boolean isDevice(String device) {
    return DEVICE.matcher(device).matches();
  }

  private static JrtException invalid(String text, String why) {
    return new JrtException(
        ErrorKind.INVALID, "find cdi devices", "cdi device \"%s\" %s".formatted(text, why));
  }

  @Override
  public String toString() {
    return kind() + "=" + device;
  }
}
