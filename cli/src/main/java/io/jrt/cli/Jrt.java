package io.jrt.cli;

import io.jrt.cli.rpc.RpcException;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The {@code jrt} command. It ends with 0, with the exit code of the process it ran, with 1 when
 * the daemon refused or failed, and with 2 when the command line is wrong.
 */
public final class Jrt {
  private static final int FAILED = 1;
  private static final int WRONG_USAGE = 2;
  private static final String DEFAULT_SOCKET = "/run/jrt/jrt.sock";

  /** Options that every command takes. */
  static final List<Flag> GLOBAL =
      List.of(
          Flag.option("socket", "PATH", "the daemon's socket; else $JRT_SOCKET"),
          Flag.option('o', "output", "FORMAT", "table, json or yaml"),
          Flag.option("timeout", "TIME", "how long a call may take; 2m if not given"),
          Flag.toggle("help", "explain the command"));

  private Jrt() {}

  /** The version of this client. */
  static String version() {
    String version = Jrt.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  static List<Command> commands() {
    List<Command> commands = new ArrayList<>();
    commands.add(new RunCommand());
    commands.add(new CreateCommand());
    commands.add(new StartCommand());
    commands.add(new PsCommand());
    commands.add(new PodsCommand());
    commands.add(new LogsCommand());
    commands.add(new ExecCommand());
    commands.add(new AttachCommand());
    commands.add(new PortForwardCommand());
    commands.add(new WaitCommand());
    commands.add(new StopCommand());
    commands.add(new KillCommand());
    commands.add(new RmCommand());
    commands.add(new InspectCommand());
    commands.add(new WhyCommand());
    commands.add(new EventsCommand());
    commands.add(new StatsCommand());
    commands.add(new TopCommand());
    commands.add(new OpsCommand());
    commands.add(new GpuCommand());
    commands.add(new CdiCommand());
    commands.add(new PullCommand());
    commands.add(new PullsCommand());
    commands.add(new ImagesCommand());
    commands.add(new ImportCommand());
    commands.add(new RmiCommand());
    commands.add(new AliasCommand("image ls", new ImagesCommand()));
    commands.add(new AliasCommand("image rm", new RmiCommand()));
    commands.add(new AliasCommand("image pull", new PullCommand()));
    commands.add(new AliasCommand("container ls", new PsCommand()));
    commands.add(new ContainerPruneCommand());
    for (VolumeCommand.Verb verb : VolumeCommand.Verb.values()) {
      commands.add(new VolumeCommand(verb));
    }
    commands.add(new PruneCommand());
    for (ConfigCommand.Verb verb : ConfigCommand.Verb.values()) {
      commands.add(new ConfigCommand(verb));
    }
    commands.add(new MigrateCommand());
    commands.add(new DoctorCommand());
    commands.add(new CheckCommand());
    commands.add(new InfoCommand());
    commands.add(new VersionCommand());
    List<Command> all = List.copyOf(commands);
    commands.add(new CompletionCommand(all));
    commands.add(new HelpCommand(commands));
    return commands;
  }

  public static void main(String[] arguments) {
    PrintStream out = stream(FileDescriptor.out);
    PrintStream err = stream(FileDescriptor.err);
    int code = run(List.of(arguments), out, err);
    out.flush();
    err.flush();
    Runtime.getRuntime().exit(code);
  }

  private static PrintStream stream(FileDescriptor descriptor) {
    return new PrintStream(
        new BufferedOutputStream(new FileOutputStream(descriptor), 8192),
        false,
        StandardCharsets.UTF_8);
  }

  static int run(List<String> words, PrintStream out, PrintStream err) {
    try {
      return dispatch(words, out, err);
    } catch (UsageException e) {
      out.flush();
      err.println("jrt: " + Words.oneLine(String.valueOf(e.getMessage())));
      return WRONG_USAGE;
    } catch (RpcException e) {
      out.flush();
      err.println("jrt: " + Words.oneLine(sentence(e)));
      return FAILED;
    } catch (IOException e) {
      out.flush();
      err.println("jrt: " + Words.oneLine(String.valueOf(e.getMessage())));
      return FAILED;
    } catch (UncheckedIOException e) {
      out.flush();
      Throwable cause = e.getCause();
      err.println(
          "jrt: " + Words.oneLine(String.valueOf((cause == null ? e : cause).getMessage())));
      return FAILED;
    }
  }

  private static String sentence(RpcException e) {
    String message = e.getMessage();
    return message == null || message.isEmpty() ? "the daemon answered " + e.code() : message;
  }

  private static int dispatch(List<String> words, PrintStream out, PrintStream err)
      throws IOException {
    List<Command> commands = commands();
    if (words.isEmpty()) {
      out.print(new HelpCommand(commands).overview());
      return 0;
    }
    // Options for every command may stand before it.
    int first = 0;
    while (first < words.size() && words.get(first).startsWith("-")) {
      String word = words.get(first);
      boolean valueFollows =
          word.equals("-o")
              || (!word.contains("=")
                  && GLOBAL.stream().anyMatch(f -> f.takesValue() && word.equals("--" + f.name())));
      first += valueFollows ? 2 : 1;
    }
    List<String> before = words.subList(0, Math.min(first, words.size()));
    List<String> after = words.subList(Math.min(first, words.size()), words.size());
    Arguments global = Arguments.parse(GLOBAL, false, before);
    if (after.isEmpty()) {
      out.print(new HelpCommand(commands).overview());
      return global.has("help") ? 0 : WRONG_USAGE;
    }
    Command command = find(commands, after);
    Spec spec = command.spec();
    List<Flag> flags = new ArrayList<>(spec.flags());
    flags.addAll(GLOBAL);
    int nameWords = spec.name().split(" ").length;
    Arguments arguments =
        Arguments.parse(flags, spec.optionsFirst(), after.subList(nameWords, after.size()));
    if (global.has("help") || arguments.has("help")) {
      out.print(HelpCommand.text(spec));
      return 0;
    }
    return command.run(arguments, session(global, arguments, out, err));
  }

  private static Session session(
      Arguments global, Arguments arguments, PrintStream out, PrintStream err) {
    String environment = System.getenv("JRT_SOCKET");
    String socket =
        either(arguments, global, "socket")
            .orElse(environment == null ? DEFAULT_SOCKET : environment);
    Duration timeout =
        either(arguments, global, "timeout").map(Words::duration).orElse(Duration.ofMinutes(2));
    String output = either(arguments, global, "output").orElse("table");
    Session.Format format =
        switch (output) {
          case "table" -> Session.Format.TABLE;
          case "json" -> Session.Format.JSON;
          case "yaml" -> Session.Format.YAML;
          default -> throw new UsageException("--output " + output + ": table, json or yaml");
        };
    Path path = Path.of(socket.startsWith("unix://") ? socket.substring(7) : socket);
    return new Session(new Daemon(path, timeout), format, out, err);
  }

  private static Optional<String> either(Arguments first, Arguments second, String name) {
    return first.value(name).or(() -> second.value(name));
  }

  private static Command find(List<Command> commands, List<String> words) {
    String two = words.size() > 1 ? words.get(0) + " " + words.get(1) : "";
    for (Command command : commands) {
      String name = command.spec().name();
      if (name.equals(words.getFirst()) || name.equals(two)) {
        return command;
      }
    }
    List<String> names = commands.stream().map(c -> c.spec().name()).toList();
    List<String> inGroup =
        names.stream().filter(n -> n.startsWith(words.getFirst() + " ")).toList();
    if (!inGroup.isEmpty()) {
      throw new UsageException("which? " + String.join(", ", inGroup));
    }
    List<String> first = names.stream().map(n -> n.split(" ")[0]).distinct().toList();
    throw new UsageException(
        "no command "
            + words.getFirst()
            + Nearest.to(words.getFirst(), first)
                .map(n -> "; did you mean jrt " + n + "?")
                .orElse("; jrt help lists them"));
  }
}
