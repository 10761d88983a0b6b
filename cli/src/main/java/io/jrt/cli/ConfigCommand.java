package io.jrt.cli;

import io.jrt.admin.v1.ReloadConfigRequest;
import io.jrt.admin.v1.ReloadConfigResponse;
import io.jrt.admin.v1.ShowConfigRequest;
import io.jrt.admin.v1.ShowConfigResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code jrt config …}. What needs no running daemon is asked of the {@code jrtd} that lies beside
 * this command, so that there is one reader of configurations.
 */
final class ConfigCommand implements Command {
  /** What of the configuration is wanted. */
  enum Verb {
    DEFAULT("", "print a configuration with every key and its meaning"),
    CHECK("[FILE]", "say what is wrong with a configuration; no daemon needed"),
    SHOW("", "print the configuration in force"),
    DIFF("", "print what of the configuration in force is not the default"),
    RELOAD("", "read the configuration anew; a bad one changes nothing");

    private final String arguments;
    private final String summary;

    Verb(String arguments, String summary) {
      this.arguments = arguments;
      this.summary = summary;
    }

    String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  private final Verb verb;

  ConfigCommand(Verb verb) {
    this.verb = verb;
  }

  @Override
  public Spec spec() {
    String name = "config " + verb.word();
    return Spec.of(name, verb.arguments, verb.summary, List.of(), name);
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    return switch (verb) {
      case DEFAULT -> {
        arguments.none();
        yield jrtd(session, List.of("--print-default-config"));
      }
      case CHECK ->
          jrtd(
              session,
              arguments.rest().isEmpty()
                  ? List.of("--check-config")
                  : List.of("--check-config", "--config", arguments.one("file")));
      case SHOW -> {
        arguments.none();
        session.out().print(shown(session).getToml());
        yield 0;
      }
      case DIFF -> {
        arguments.none();
        yield diff(session);
      }
      case RELOAD -> {
        arguments.none();
        yield reload(session);
      }
    };
  }

  private static ShowConfigResponse shown(Session session) throws IOException {
    return session
        .daemon()
        .admin("ShowConfig", ShowConfigRequest.getDefaultInstance(), ShowConfigResponse.parser());
  }

  private static int diff(Session session) throws IOException {
    ShowConfigResponse shown = shown(session);
    Map<String, String> defaults = keys(shown.getDefaults());
    keys(shown.getToml())
        .forEach(
            (key, value) -> {
              String usual = defaults.getOrDefault(key, "");
              if (!value.equals(usual)) {
                session.out().println(key + " = " + value + "  # default: " + usual);
              }
            });
    return 0;
  }

  /** The values of a configuration as the daemon writes it: one line a key. */
  static Map<String, String> keys(String toml) {
    Map<String, String> keys = new LinkedHashMap<>();
    String section = "";
    for (String line : toml.lines().toList()) {
      int equals = line.indexOf(" = ");
      if (line.startsWith("[") && line.endsWith("]")) {
        section = line.substring(1, line.length() - 1) + ".";
      } else if (equals > 0 && !line.startsWith("#")) {
        keys.put(section + line.substring(0, equals), line.substring(equals + 3));
      }
    }
    return keys;
  }

  private static int reload(Session session) throws IOException {
    ReloadConfigResponse answer =
        session
            .daemon()
            .admin(
                "ReloadConfig",
                ReloadConfigRequest.getDefaultInstance(),
                ReloadConfigResponse.parser());
    if (!session.forPeople()) {
      session.print(answer);
      return 0;
    }
    answer.getChangedList().forEach(key -> session.out().println("in force now: " + key));
    answer
        .getNeedRestartList()
        .forEach(key -> session.out().println("needs a restart of jrtd: " + key));
    if (answer.getChangedCount() + answer.getNeedRestartCount() == 0) {
      session.out().println("nothing has changed");
    }
    return 0;
  }

  private static int jrtd(Session session, List<String> arguments) throws IOException {
    String jar = System.getProperty("java.class.path").split(":", 2)[0];
    Path program = Path.of(jar).toAbsolutePath().resolveSibling("../bin/jrtd").normalize();
    if (!Files.isExecutable(program)) {
      throw new IOException("no jrtd at " + program + ": it is part of the same package");
    }
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    command.addAll(arguments);
    session.out().flush();
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
