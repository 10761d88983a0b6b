package io.jrt.cli;

import java.util.List;

/** {@code jrt help [COMMAND]}. */
final class HelpCommand implements Command {
  private final List<Command> commands;

  HelpCommand(List<Command> commands) {
    this.commands = commands;
  }

  @Override
  public Spec spec() {
    return Spec.of("help", "[COMMAND]", "explain jrt or a command", List.of(), "help run");
  }

  @Override
  public int run(Arguments arguments, Session session) {
    String name = String.join(" ", arguments.rest());
    if (name.isEmpty()) {
      session.out().print(overview());
      return 0;
    }
    for (Command command : commands) {
      if (command.spec().name().equals(name)) {
        session.out().print(text(command.spec()));
        return 0;
      }
    }
    throw new UsageException("no command " + name + "; jrt help lists them");
  }

  String overview() {
    StringBuilder out =
        new StringBuilder("jrt: containers and pods of this node\n\nusage: jrt COMMAND …\n\n");
    int width = commands.stream().mapToInt(c -> c.spec().name().length()).max().orElse(0);
    for (Command command : commands) {
      String name = command.spec().name();
      out.append("  ").append(name).append(" ".repeat(width - name.length() + 2));
      out.append(command.spec().summary()).append('\n');
    }
    out.append("\nfor every command\n");
    out.append(options(Jrt.GLOBAL));
    return out.append(
            """

            exit codes: 0 done; 1 the daemon refused or failed; 2 the command line is wrong; run, \
            exec, attach
            and start -a end as the process does, and run with 125 when it cannot be made, 126 \
            when the
            command cannot be run, 127 when there is no such command.

            jrt help COMMAND tells more.
            """)
        .toString();
  }

  static String text(Spec spec) {
    StringBuilder out = new StringBuilder();
    out.append("jrt ").append(spec.name()).append(": ").append(spec.summary());
    out.append("\n\nusage: jrt ").append(spec.name());
    if (!spec.flags().isEmpty()) {
      out.append(" [OPTION…]");
    }
    out.append(spec.arguments().isEmpty() ? "" : " " + spec.arguments()).append('\n');
    if (!spec.flags().isEmpty()) {
      out.append("\noptions\n");
      out.append(options(spec.flags()));
    }
    out.append("\nfor every command\n");
    out.append(options(Jrt.GLOBAL));
    out.append("\nexamples\n");
    spec.examples().forEach(example -> out.append("  jrt ").append(example).append('\n'));
    return out.toString();
  }

  /** The options one a line, for people. */
  static String options(List<Flag> flags) {
    StringBuilder out = new StringBuilder();
    int width = flags.stream().mapToInt(flag -> left(flag).length()).max().orElse(0);
    for (Flag flag : flags) {
      String left = left(flag);
      out.append("  ").append(left).append(" ".repeat(width - left.length() + 2));
      out.append(flag.help()).append('\n');
    }
    return out.toString();
  }

  static String left(Flag flag) {
    String letter = flag.letter() == ' ' ? "    " : "-" + flag.letter() + ", ";
    return letter + "--" + flag.name() + (flag.takesValue() ? " " + flag.value() : "");
  }
}
