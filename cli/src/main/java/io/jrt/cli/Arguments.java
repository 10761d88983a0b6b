package io.jrt.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A command line taken apart: options by long name, and what is left. */
final class Arguments {
  private final Map<String, List<String>> options;
  private final List<String> rest;

  private Arguments(Map<String, List<String>> options, List<String> rest) {
    this.options = options;
    this.rest = rest;
  }

  /**
   * Takes the words apart by the flags given; {@code --name=value}, {@code -abc} and {@code --}.
   */
  static Arguments parse(List<Flag> flags, boolean optionsFirst, List<String> words) {
    Map<String, List<String>> options = new HashMap<>();
    List<String> rest = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (word.equals("--")) {
        rest.addAll(words.subList(i + 1, words.size()));
        break;
      } else if (word.startsWith("--")) {
        int equals = word.indexOf('=');
        String name = word.substring(2, equals < 0 ? word.length() : equals);
        Flag flag = longFlag(flags, name);
        if (!flag.takesValue()) {
          add(options, flag, equals < 0 ? "true" : toggle(flag, word.substring(equals + 1)));
        } else if (equals >= 0) {
          add(options, flag, word.substring(equals + 1));
        } else if (++i < words.size()) {
          add(options, flag, words.get(i));
        } else {
          throw new UsageException("--" + name + " needs a value: " + flag.value());
        }
      } else if (word.length() > 1 && word.charAt(0) == '-') {
        for (int at = 1; at < word.length(); at++) {
          Flag flag = shortFlag(flags, word.charAt(at));
          if (!flag.takesValue()) {
            add(options, flag, "true");
          } else if (at + 1 < word.length()) {
            add(options, flag, word.substring(word.charAt(at + 1) == '=' ? at + 2 : at + 1));
            break;
          } else if (++i < words.size()) {
            add(options, flag, words.get(i));
          } else {
            throw new UsageException("-" + flag.letter() + " needs a value: " + flag.value());
          }
        }
      } else if (optionsFirst) {
        rest.addAll(words.subList(i, words.size()));
        break;
      } else {
        rest.add(word);
      }
    }
    return new Arguments(options, rest);
  }

  private static String toggle(Flag flag, String value) {
    return switch (value) {
      case "true", "false" -> value;
      default ->
          throw new UsageException(
              "--" + flag.name() + "=" + value + ": a switch is true or false");
    };
  }

  private static void add(Map<String, List<String>> options, Flag flag, String value) {
    options.computeIfAbsent(flag.name(), name -> new ArrayList<>()).add(value);
  }

  private static Flag longFlag(List<Flag> flags, String name) {
    for (Flag flag : flags) {
      if (flag.name().equals(name)) {
        return flag;
      }
    }
    List<String> names = flags.stream().map(Flag::name).toList();
    String near = Nearest.to(name, names).map(n -> "; did you mean --" + n + "?").orElse("");
    throw new UsageException("no option --" + name + near);
  }

  private static Flag shortFlag(List<Flag> flags, char letter) {
    for (Flag flag : flags) {
      if (flag.letter() == letter) {
        return flag;
      }
    }
    throw new UsageException("no option -" + letter);
  }

  boolean has(String name) {
    List<String> values = options.get(name);
    return values != null && values.getLast().equals("true");
  }

  /** The last value given. */
  Optional<String> value(String name) {
    List<String> values = options.get(name);
    return values == null ? Optional.empty() : Optional.of(values.getLast());
  }

  List<String> values(String name) {
    return options.getOrDefault(name, List.of());
  }

  long number(String name, long otherwise) {
    Optional<String> value = value(name);
    if (value.isEmpty()) {
      return otherwise;
    }
    try {
      return Long.parseLong(value.get());
    } catch (NumberFormatException e) {
      throw new UsageException("--" + name + " " + value.get() + " is no whole number");
    }
  }

  List<String> rest() {
    return rest;
  }

  String one(String what) {
    if (rest.size() != 1) {
      throw new UsageException(
          rest.isEmpty() ? "which " + what + "?" : "one " + what + ", not " + rest.size());
    }
    return rest.getFirst();
  }

  List<String> atLeastOne(String what) {
    if (rest.isEmpty()) {
      throw new UsageException("which " + what + "?");
    }
    return rest;
  }

  void none() {
    if (!rest.isEmpty()) {
      throw new UsageException("what is " + rest.getFirst() + " for? This command takes none");
    }
  }
}
