package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Seccomp;
import io.jrt.security.SeccompProfile.ArchitectureMap;
import io.jrt.security.SeccompProfile.Condition;
import io.jrt.security.SeccompProfile.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads a profile token by token, so that whatever is wrong is named with file, line and rule.
 *
 * <p>Keys that are not known are passed over, as runc does: profiles carry comments.
 */
final class SeccompProfileReader {
  static final int MAX_BYTES = 4 << 20;

  private static final String STEP = "read seccomp profile";
  private static final int EPERM = 1;
  private static final int MAX_ERRNO = 4095;
  private static final Pattern KERNEL = Pattern.compile("\\d{1,4}\\.\\d{1,4}");

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxDocumentLength(MAX_BYTES)
                  .maxNestingDepth(32)
                  .maxStringLength(4096)
                  .maxNameLength(256)
                  .build())
          .build();

  private static final Map<String, Integer> ACTIONS =
      Map.of(
          "SCMP_ACT_KILL", Seccomp.SCMP_ACT_KILL_THREAD,
          "SCMP_ACT_KILL_THREAD", Seccomp.SCMP_ACT_KILL_THREAD,
          "SCMP_ACT_KILL_PROCESS", Seccomp.SCMP_ACT_KILL_PROCESS,
          "SCMP_ACT_TRAP", Seccomp.SCMP_ACT_TRAP,
          "SCMP_ACT_ERRNO", Seccomp.actionErrno(0),
          "SCMP_ACT_TRACE", Seccomp.actionTrace(0),
          "SCMP_ACT_ALLOW", Seccomp.SCMP_ACT_ALLOW,
          "SCMP_ACT_LOG", Seccomp.SCMP_ACT_LOG,
          "SCMP_ACT_NOTIFY", Seccomp.SCMP_ACT_NOTIFY);

  private static final Map<String, Integer> FLAGS =
      Map.of(
          "SECCOMP_FILTER_FLAG_TSYNC",
          1,
          "SECCOMP_FILTER_FLAG_LOG",
          SeccompProfile.FLAG_LOG,
          "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
          SeccompProfile.FLAG_SPEC_ALLOW,
          "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
          1 << 5);

  private final String origin;
  private final JsonParser parser;

  /** What the errors name besides the line: empty, or {@code syscalls[7]}. */
  private String where = "";

  private SeccompProfileReader(String origin, JsonParser parser) {
    this.origin = origin;
    this.parser = parser;
  }

  static SeccompProfile read(String origin, byte[] json) {
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
      return new SeccompProfileReader(origin, parser).profile();
    } catch (JacksonException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw new JrtException(
          ErrorKind.INVALID, STEP, "%s:%d: %s".formatted(origin, line, sentence(e)), e);
    }
  }

  /** Jackson's sentence without its notes on where the input came from. */
  private static String sentence(JacksonException e) {
    String message = String.valueOf(e.getOriginalMessage());
    int notes = message.indexOf(" (start marker at");
    return notes < 0 ? message : message.substring(0, notes);
  }

  private SeccompProfile profile() {
    String defaultAction = "";
    OptionalInt defaultErrno = OptionalInt.empty();
    int defaultLine = 1;
    List<String> architectures = List.of();
    List<ArchitectureMap> architectureMap = List.of();
    OptionalInt flags = OptionalInt.empty();
    String listenerPath = "";
    String listenerMetadata = "";
    List<Rule> rules = List.of();

    parser.nextToken();
    expect(JsonToken.START_OBJECT, "a profile");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case "defaultAction" -> {
          defaultLine = line();
          defaultAction = string(key);
        }
        case "defaultErrnoRet" -> defaultErrno = optionalNumber(key);
        case "architectures" -> architectures = strings(key);
        case "archMap" -> architectureMap = architectureMap();
        case "flags" -> flags = flags();
        case "listenerPath" -> listenerPath = string(key);
        case "listenerMetadata" -> listenerMetadata = string(key);
        case "syscalls" -> rules = rules();
        default -> parser.skipChildren();
      }
    }
    if (parser.nextToken() != null) {
      throw invalid("more follows after the profile's end");
    }
    if (!architectures.isEmpty() && !architectureMap.isEmpty()) {
      throw invalid("both architectures and archMap are given");
    }
    int action = action(defaultLine, "defaultAction", defaultAction, defaultErrno);
    if (action == Seccomp.SCMP_ACT_NOTIFY) {
      throw invalid(defaultLine, "SCMP_ACT_NOTIFY cannot be the default action");
    }
    boolean notifies = rules.stream().anyMatch(r -> r.action() == Seccomp.SCMP_ACT_NOTIFY);
    if (notifies && listenerPath.isEmpty()) {
      throw invalid("SCMP_ACT_NOTIFY needs a listenerPath");
    }
    return new SeccompProfile(
        origin,
        action,
        List.copyOf(architectures),
        List.copyOf(architectureMap),
        flags,
        notifies ? listenerPath : "",
        listenerMetadata,
        List.copyOf(rules));
  }

  private List<Rule> rules() {
    List<Rule> rules = new ArrayList<>();
    if (isNull()) {
      return rules;
    }
    expect(JsonToken.START_ARRAY, "a list of rules");
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      where = "syscalls[" + rules.size() + "]: ";
      rules.add(rule(rules.size()));
      where = "";
    }
    return rules;
  }

  private Rule rule(int index) {
    int line = line();
    List<String> names = new ArrayList<>();
    String action = "";
    int actionLine = line;
    OptionalInt errno = OptionalInt.empty();
    List<Seccomp.Argument> arguments = List.of();
    Condition includes = Condition.NONE;
    Condition excludes = Condition.NONE;

    expect(JsonToken.START_OBJECT, "a rule");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case "name" -> names.add(string(key));
        case "names" -> names.addAll(strings(key));
        case "action" -> {
          actionLine = line();
          action = string(key);
        }
        case "errnoRet" -> errno = optionalNumber(key);
        case "args" -> arguments = arguments();
        case "includes" -> includes = condition(key);
        case "excludes" -> excludes = condition(key);
        default -> parser.skipChildren();
      }
    }
    names.removeIf(String::isEmpty);
    if (names.isEmpty()) {
      throw invalid(line, "the rule names no system call");
    }
    int value = action(actionLine, "action", action, errno);
    if (value == Seccomp.SCMP_ACT_NOTIFY && names.contains("write")) {
      // The launcher itself writes between the filter and execve.
      throw invalid(line, "SCMP_ACT_NOTIFY cannot be used for write");
    }
    return new Rule(
        line, index, List.copyOf(names), value, List.copyOf(arguments), includes, excludes);
  }

  private List<Seccomp.Argument> arguments() {
    List<Seccomp.Argument> arguments = new ArrayList<>();
    if (isNull()) {
      return arguments;
    }
    expect(JsonToken.START_ARRAY, "a list of argument conditions");
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      int line = line();
      long index = -1;
      long value = 0;
      long valueTwo = 0;
      String op = "";
      expect(JsonToken.START_OBJECT, "an argument condition");
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "index" -> index = unsigned(key);
          case "value" -> value = unsigned(key);
          case "valueTwo" -> valueTwo = unsigned(key);
          case "op" -> op = string(key);
          default -> parser.skipChildren();
        }
      }
      if (index < 0 || index > 5) {
        throw invalid(line, "argument index %d is outside 0-5".formatted(index));
      }
      arguments.add(new Seccomp.Argument((int) index, comparison(line, op), value, valueTwo));
    }
    return arguments;
  }

  private Seccomp.Comparison comparison(int line, String op) {
    for (Seccomp.Comparison comparison : Seccomp.Comparison.values()) {
      if (op.equals("SCMP_CMP_" + comparison.name())) {
        return comparison;
      }
    }
    throw invalid(line, "unknown operator \"%s\"".formatted(op));
  }

  private Condition condition(String key) {
    if (isNull()) {
      return Condition.NONE;
    }
    expect(JsonToken.START_OBJECT, key);
    List<String> capabilities = List.of();
    List<String> architectures = List.of();
    String minKernel = "";
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "caps" -> {
          capabilities = strings(name);
          for (String capability : capabilities) {
            if (Capability.named(capability).isEmpty()) {
              throw invalid("unknown capability \"%s\" in %s".formatted(capability, key));
            }
          }
        }
        case "arches" -> architectures = strings(name);
        case "minKernel" -> {
          minKernel = string(name);
          if (!minKernel.isEmpty() && !KERNEL.matcher(minKernel).matches()) {
            throw invalid("minKernel \"%s\" is not major.minor".formatted(minKernel));
          }
        }
        default -> parser.skipChildren();
      }
    }
    return new Condition(List.copyOf(capabilities), List.copyOf(architectures), minKernel);
  }

  private List<ArchitectureMap> architectureMap() {
    List<ArchitectureMap> maps = new ArrayList<>();
    if (isNull()) {
      return maps;
    }
    expect(JsonToken.START_ARRAY, "archMap");
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(JsonToken.START_OBJECT, "an entry of archMap");
      String architecture = "";
      List<String> sub = List.of();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "architecture" -> architecture = string(key);
          case "subArchitectures" -> sub = strings(key);
          default -> parser.skipChildren();
        }
      }
      maps.add(new ArchitectureMap(architecture, List.copyOf(sub)));
    }
    return maps;
  }

  private OptionalInt flags() {
    if (isNull()) {
      return OptionalInt.empty();
    }
    int bits = 0;
    for (String flag : strings("flags")) {
      Integer bit = FLAGS.get(flag);
      if (bit == null) {
        throw invalid("unknown flag \"%s\"".formatted(flag));
      }
      bits |= bit;
    }
    return OptionalInt.of(bits);
  }

  private int action(int line, String key, String name, OptionalInt errno) {
    Integer action = ACTIONS.get(name);
    if (action == null) {
      throw invalid(
          line,
          name.isEmpty()
              ? "%s is missing".formatted(key)
              : "unknown action \"%s\"".formatted(name));
    }
    if (SeccompProfile.isErrno(action) || SeccompProfile.isTrace(action)) {
      int value = errno.orElse(EPERM);
      int limit = SeccompProfile.isErrno(action) ? MAX_ERRNO : 0xffff;
      if (value < 0 || value > limit) {
        throw invalid(line, "errnoRet %d is outside 0-%d".formatted(value, limit));
      }
      return action | value;
    }
    if (errno.isPresent()) {
      throw invalid(line, "errnoRet does not go with action %s".formatted(name));
    }
    return action;
  }

  // Tokens -------------------------------------------------------------------------------------

  private List<String> strings(String key) {
    List<String> strings = new ArrayList<>();
    if (isNull()) {
      return strings;
    }
    expect(JsonToken.START_ARRAY, key);
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      strings.add(string(key));
    }
    return strings;
  }

  private String string(String key) {
    if (isNull()) {
      return "";
    }
    expect(JsonToken.VALUE_STRING, key);
    return parser.getString();
  }

  private OptionalInt optionalNumber(String key) {
    if (isNull()) {
      return OptionalInt.empty();
    }
    long value = unsigned(key);
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw invalid("%s %s is too large".formatted(key, parser.getString()));
    }
    return OptionalInt.of((int) value);
  }

  /** An unsigned 64-bit number; those above 2^63 come out negative, as libseccomp wants them. */
  private long unsigned(String key) {
    if (isNull()) {
      return 0;
    }
    expect(JsonToken.VALUE_NUMBER_INT, key);
    String digits = parser.getString();
    try {
      return Long.parseUnsignedLong(digits);
    } catch (NumberFormatException e) {
      throw invalid("%s %s is not an unsigned 64-bit number".formatted(key, digits));
    }
  }

  private boolean isNull() {
    return parser.currentToken() == JsonToken.VALUE_NULL;
  }

  private void expect(JsonToken token, String what) {
    if (parser.currentToken() != token) {
      throw invalid("%s is of the wrong type".formatted(what));
    }
  }

  private int line() {
    return parser.currentTokenLocation().getLineNr();
  }

  private JrtException invalid(String message) {
    return invalid(line(), message);
  }

  private JrtException invalid(int line, String message) {
    return new JrtException(
        ErrorKind.INVALID, STEP, "%s:%d: %s%s".formatted(origin, line, where, message));
  }
}
