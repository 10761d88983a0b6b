package io.jrt.core.spec;

import io.jrt.core.Bytes;
import io.jrt.core.EnvVar;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Environment variables by name: a later one takes the place of an earlier one of its name. */
public final class Environment {
  private final Map<String, Bytes> byName = new LinkedHashMap<>();

  private Environment() {}

  public static Environment of(List<EnvVar> variables) {
    return new Environment().with(variables);
  }

  /** Sets these, each in the place of one of its name. */
  public Environment with(List<EnvVar> variables) {
    for (EnvVar variable : variables) {
      check(variable);
      byName.put(variable.name(), variable.value());
    }
    return this;
  }

  /** Sets entries of the form {@code NAME=value}. */
  public Environment withEntries(List<String> entries) {
    for (String entry : entries) {
      int equals = entry.indexOf('=');
      if (equals > 0) {
        with(List.of(EnvVar.of(entry.substring(0, equals), entry.substring(equals + 1))));
      }
    }
    return this;
  }

  public Optional<Bytes> value(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  public List<EnvVar> variables() {
    List<EnvVar> variables = new ArrayList<>();
    byName.forEach((name, value) -> variables.add(new EnvVar(name, value)));
    return variables;
  }

  private static void check(EnvVar variable) {
    if (variable.name().isEmpty() || variable.name().indexOf('=') >= 0) {
      throw invalid("environment variable \"" + variable.name() + "\" has no proper name");
    }
    if (variable.name().indexOf('\0') >= 0 || variable.value().contains((byte) 0)) {
      throw invalid("environment variable \"" + variable.name().replace("\0", "") + "\" has a NUL");
    }
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, "merge environment", message);
  }
}
