package io.jrt.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * The reference of the {@code jrt} command, made of the declarations that its parser and its help
 * are made of: manual pages, and {@code docs/reference/jrt.md}.
 */
public final class Manual {
  private Manual() {}

  /** {@code man DIRECTORY DATE} writes manual pages there, {@code markdown} prints the page. */
  public static void main(String[] arguments) throws IOException {
    List<Command> commands = Jrt.commands();
    if (arguments.length == 3 && arguments[0].equals("man")) {
      Path directory = Files.createDirectories(Path.of(arguments[1]));
      Files.writeString(directory.resolve("jrt.1"), overview(commands, arguments[2]));
      for (Command command : commands) {
        Spec spec = command.spec();
        Files.writeString(directory.resolve(page(spec) + ".1"), page(spec, arguments[2]));
      }
    } else if (arguments.length == 1 && arguments[0].equals("markdown")) {
      System.out.print(markdown(commands));
    } else {
      throw new IllegalArgumentException("usage: Manual man DIRECTORY DATE | Manual markdown");
    }
  }

  static String markdown(List<Command> commands) {
    StringBuilder out = new StringBuilder();
    out.append("# jrt\n\nMade by `make reference` of what `jrt help` is made of.\n\n");
    out.append("| command | |\n|---|---|\n");
    for (Command command : commands) {
      Spec spec = command.spec();
      out.append("| [").append(spec.name()).append("](#jrt-").append(spec.name().replace(' ', '-'));
      out.append(") | ").append(spec.summary().replace("|", "\\|")).append(" |\n");
    }
    out.append("\nEvery command takes these options:\n\n```\n");
    out.append(HelpCommand.options(Jrt.GLOBAL)).append("```\n");
    for (Command command : commands) {
      Spec spec = command.spec();
      out.append("\n## jrt ").append(spec.name()).append("\n\n");
      out.append(sentence(spec.summary())).append("\n\n```\n").append(synopsis(spec)).append('\n');
      if (!spec.flags().isEmpty()) {
        out.append('\n').append(HelpCommand.options(spec.flags()));
      }
      out.append("```\n\n```\n");
      spec.examples().forEach(example -> out.append("jrt ").append(example).append('\n'));
      out.append("```\n");
    }
    return out.toString();
  }

  private static String overview(List<Command> commands, String date) {
    StringBuilder out = new StringBuilder(head("jrt", "containers and pods of this node", date));
    out.append(".SH SYNOPSIS\n.B jrt\n.I COMMAND\n[OPTION…] [ARGUMENT…]\n.SH COMMANDS\n");
    for (Command command : commands) {
      Spec spec = command.spec();
      out.append(".TP\n.BR ").append(roff(page(spec))).append(" (1)\n");
      out.append(roff(sentence(spec.summary()))).append('\n');
    }
    out.append(".SH OPTIONS OF EVERY COMMAND\n");
    options(out, Jrt.GLOBAL);
    out.append(".SH ENVIRONMENT\n.TP\n.B JRT_SOCKET\nThe daemon's socket.\n");
    out.append(".TP\n.B NO_COLOR\nNo colours, also on a terminal.\n");
    out.append(
        """
        .SH EXIT STATUS
        0 done; 1 the daemon refused or failed; 2 the command line is wrong. run, exec, attach and
        start \\-a end as the process does, and run with 125 when it cannot be made, 126 when the
        command cannot be run, 127 when there is no such command.
        """);
    return out.append(".SH SEE ALSO\n.BR jrtd (8)\n").toString();
  }

  private static String page(Spec spec, String date) {
    StringBuilder out = new StringBuilder(head(page(spec), spec.summary(), date));
    out.append(".SH SYNOPSIS\n.B ").append(roff(synopsis(spec))).append('\n');
    if (!spec.flags().isEmpty()) {
      out.append(".SH OPTIONS\n");
      options(out, spec.flags());
    }
    out.append(".SH OPTIONS OF EVERY COMMAND\n");
    options(out, Jrt.GLOBAL);
    out.append(".SH EXAMPLES\n.nf\n");
    spec.examples().forEach(one -> out.append("jrt ").append(roff(one)).append('\n'));
    return out.append(".fi\n.SH SEE ALSO\n.BR jrt (1)\n").toString();
  }

  private static String head(String name, String summary, String date) {
    return """
    .TH "%s" "1" "%s" "jrt" "jrt"
    .SH NAME
    %s \\- %s
    """
        .formatted(name.toUpperCase(Locale.ROOT), date, roff(name), roff(summary));
  }

  private static void options(StringBuilder out, List<Flag> flags) {
    for (Flag flag : flags) {
      out.append(".TP\n.B ").append(roff(HelpCommand.left(flag).strip())).append('\n');
      out.append(roff(sentence(flag.help()))).append('\n');
    }
  }

  private static String page(Spec spec) {
    return "jrt-" + spec.name().replace(' ', '-');
  }

  private static String synopsis(Spec spec) {
    return "jrt "
        + spec.name()
        + (spec.flags().isEmpty() ? "" : " [OPTION…]")
        + (spec.arguments().isEmpty() ? "" : " " + spec.arguments());
  }

  private static String sentence(String words) {
    return words.isEmpty() ? "" : Character.toUpperCase(words.charAt(0)) + words.substring(1) + ".";
  }

  /** Text as roff takes it: no escapes, and no line that looks like a request. */
  private static String roff(String text) {
    String plain = text.replace("\\", "\\e").replace("-", "\\-");
    return plain.startsWith(".") || plain.startsWith("'") ? "\\&" + plain : plain;
  }
}
