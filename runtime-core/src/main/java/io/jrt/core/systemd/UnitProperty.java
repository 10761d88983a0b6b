package io.jrt.core.systemd;

/**
 * A property of a unit, by the name that org.freedesktop.systemd1 has for it.
 *
 * @param name such as {@code MemoryMax}
 */
public record UnitProperty(String name, Value value) {

  /** What it is set to. */
  public sealed interface Value {
    /** Words. */
    record Text(String text) implements Value {}

    /** Yes or no. */
    record Flag(boolean on) implements Value {}

    /** An unsigned number; {@link UnitProperty#INFINITY} means no limit. */
    record Count(long number) implements Value {}

    /** A set of small numbers (processors, memory nodes) as a bit mask, lowest byte first. */
    record Mask(String bits) implements Value {}
  }

  /** No limit. */
  public static final long INFINITY = -1;

  public static UnitProperty of(String name, String text) {
    return new UnitProperty(name, new Value.Text(text));
  }

  public static UnitProperty of(String name, boolean on) {
    return new UnitProperty(name, new Value.Flag(on));
  }

  public static UnitProperty of(String name, long number) {
    return new UnitProperty(name, new Value.Count(number));
  }

  /**
   * @param list as the kernel writes lists, {@code 0-2,7}; the kernel judges it later, so what is
   *     no list is taken as an empty one here
   */
  public static UnitProperty ofList(String name, String list) {
    return new UnitProperty(name, new Value.Mask(list));
  }
}
