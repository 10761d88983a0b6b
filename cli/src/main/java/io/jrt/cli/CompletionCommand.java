package io.jrt.cli;

import java.util.List;
import java.util.stream.Collectors;

/** {@code jrt completion bash|zsh|fish}: a script made of the commands' own declarations. */
final class CompletionCommand implements Command {
  private final List<Command> commands;

  CompletionCommand(List<Command> commands) {
    this.commands = commands;
  }

  @Override
  public Spec spec() {
    return Spec.of(
        "completion",
        "bash|zsh|fish",
        "print a completion script for a shell",
        List.of(),
        "completion bash");
  }

  @Override
  public int run(Arguments arguments, Session session) {
    String shell = arguments.one("shell: bash, zsh or fish");
    session
        .out()
        .print(
            switch (shell) {
              case "bash" -> bash();
              case "zsh" -> "autoload -U +X bashcompinit && bashcompinit\n" + bash();
              case "fish" -> fish();
              default -> throw new UsageException("shell " + shell + ": bash, zsh or fish");
            });
    return 0;
  }

  private String bash() {
    String names =
        commands.stream()
            .map(c -> c.spec().name().split(" ")[0])
            .distinct()
            .collect(Collectors.joining(" "));
    StringBuilder cases = new StringBuilder();
    for (Command command : commands) {
      Spec spec = command.spec();
      String flags =
          spec.flags().stream().map(f -> "--" + f.name()).collect(Collectors.joining(" "));
      cases.append("    ").append(spec.name().split(" ")[0]).append(") ");
      cases.append("flags=\"$flags ").append(flags).append("\" things=\"");
      cases.append(things(spec)).append("\" ;;\n");
    }
    String global = Jrt.GLOBAL.stream().map(f -> "--" + f.name()).collect(Collectors.joining(" "));
    return """
    # bash completion for jrt
    _jrt() {
      local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} flags="%s" things=""
      if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "%s" -- "$word"))
        return
      fi
      case "$command" in
    %s  esac
      case "$word" in
        -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
        *)
          case "$things" in
            containers) COMPREPLY=($(compgen -W "$(jrt ps -aq 2>/dev/null)" -- "$word")) ;;
            images) COMPREPLY=($(compgen -W "$(jrt images -q 2>/dev/null)" -- "$word")) ;;
            *) COMPREPLY=($(compgen -f -- "$word")) ;;
          esac ;;
      esac
    }
    complete -F _jrt jrt
    """
        .formatted(global, names, cases);
  }

  private String fish() {
    StringBuilder out = new StringBuilder("# fish completion for jrt\ncomplete -c jrt -f\n");
    for (Command command : commands) {
      Spec spec = command.spec();
      String name = spec.name().split(" ")[0];
      out.append("complete -c jrt -n __fish_use_subcommand -a ").append(name);
      out.append(" -d '").append(spec.summary().replace("'", "\\'")).append("'\n");
      for (Flag flag : spec.flags()) {
        out.append("complete -c jrt -n '__fish_seen_subcommand_from ").append(name).append("' -l ");
        out.append(flag.name());
        if (flag.letter() != ' ') {
          out.append(" -s ").append(flag.letter());
        }
        out.append(flag.takesValue() ? " -r" : "");
        out.append(" -d '").append(flag.help().replace("'", "\\'")).append("'\n");
      }
    }
    return out.toString();
  }

  private static String things(Spec spec) {
    String arguments = spec.arguments();
    if (arguments.startsWith("CONTAINER")) {
      return "containers";
    }
    return arguments.startsWith("IMAGE") ? "images" : "";
  }
}
