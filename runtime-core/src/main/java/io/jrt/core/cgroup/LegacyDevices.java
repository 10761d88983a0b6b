package io.jrt.core.cgroup;

import io.jrt.security.DeviceRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/**
 * What the devices controller of v1 allows: everything, or a list of exceptions as {@code
 * devices.list} shows them, each with the accesses it allows.
 *
 * @param allowed accesses by {@code TYPE MAJOR:MINOR}; without meaning when all is allowed
 */
record LegacyDevices(boolean allowsAll, Map<String, String> allowed) {
  private static final String ALL = "a *:*";

  private static final String LETTERS = "rwm";

  /** What remains allowed when the rules were written one after the other. */
  static LegacyDevices of(List<DeviceRule> rules) {
    boolean all = false;
    Map<String, String> allowed = new TreeMap<>();
    for (DeviceRule rule : rules) {
      if (rule.type() == 'a') {
        all = rule.allow();
        allowed.clear();
      } else {
        String device = device(rule);
        String before = allowed.getOrDefault(device, "");
        allowed.put(
            device, rule.allow() ? join(before, rule.access()) : without(before, rule.access()));
      }
    }
    allowed.values().removeIf(String::isEmpty);
    return new LegacyDevices(all, allowed);
  }

  static LegacyDevices parse(String list) {
    Map<String, String> allowed = new TreeMap<>();
    for (String line : list.lines().toList()) {
      int last = line.lastIndexOf(' ');
      if (last > 0) {
        allowed.merge(line.substring(0, last), line.substring(last + 1), LegacyDevices::join);
      }
    }
    boolean all = allowed.containsKey(ALL);
    return new LegacyDevices(all, all ? Map.of() : allowed);
  }

  static String device(DeviceRule rule) {
    return "%c %s:%s".formatted(rule.type(), number(rule.major()), number(rule.minor()));
  }

  private static String number(long number) {
    return number == DeviceRule.ANY ? "*" : Long.toString(number);
  }

  private static String join(String one, String other) {
    return letters(letter -> one.indexOf(letter) >= 0 || other.indexOf(letter) >= 0);
  }

  private static String without(String one, String other) {
    return letters(letter -> one.indexOf(letter) >= 0 && other.indexOf(letter) < 0);
  }

  private static String letters(IntPredicate wanted) {
    return LETTERS
        .chars()
        .filter(wanted)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  /** Whether nothing is allowed that the other does not allow. */
  boolean isWithin(LegacyDevices other) {
    return !allowsAll
        && allowed.entrySet().stream()
            .allMatch(
                each ->
                    without(each.getValue(), other.allowed.getOrDefault(each.getKey(), ""))
                        .isEmpty());
  }

  /** What is to be written to {@code devices.allow} so that all of this is allowed again. */
  List<String> missing(LegacyDevices now) {
    if (now.allowsAll) {
      return List.of();
    }
    if (allowsAll) {
      return List.of("a");
    }
    List<String> missing = new ArrayList<>();
    allowed.forEach(
        (device, access) -> {
          String left = without(access, now.allowed.getOrDefault(device, ""));
          if (!left.isEmpty()) {
            missing.add(device + " " + left);
          }
        });
    return missing;
  }
}
