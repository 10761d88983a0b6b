package io.jrt.cli;

import io.jrt.admin.v1.ExecRequest;
import io.jrt.admin.v1.ExecResponse;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;

/** {@code jrt exec}. */
final class ExecCommand implements Command {
  @Override
  public Spec spec() {
    return new Spec(
        "exec",
        "CONTAINER COMMAND [ARGUMENT…]",
        "run a command in a running container",
        true,
        List.of(
            Flag.toggle('i', "interactive", "hand our standard input to it"),
            Flag.toggle('t', "tty", "give it a terminal"),
            Flag.option('u', "user", "USER[:GROUP]", "run as this user, not the container's"),
            Flag.option('w', "workdir", "PATH", "working directory"),
            Variables.ENV,
            Variables.ENV_FILE),
        List.of("exec web ls /", "exec -it web sh", "exec -u 1000 -w /tmp web id"));
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    List<String> words = arguments.rest();
    if (words.size() < 2) {
      throw new UsageException(words.isEmpty() ? "which container?" : "which command?");
    }
    String id = Objects.of(session.daemon()).container(words.getFirst()).getId();
    boolean tty = arguments.has("tty");
    boolean input = arguments.has("interactive");
    Interactive.requireTerminal(input, tty);
    ExecRequest request =
        ExecRequest.newBuilder()
            .setContainerId(id)
            .addAllCommand(words.subList(1, words.size()))
            .setTty(tty)
            .setStdin(input)
            .setUser(arguments.value("user").orElse(""))
            .setWorkingDirectory(arguments.value("workdir").orElse(""))
            .addAllEnvironment(Variables.of(arguments))
            .build();
    String url = session.daemon().admin("Exec", request, ExecResponse.parser()).getUrl();
    OptionalInt code = Interactive.join(url, input, tty, session);
    return code.orElse(Interactive.DETACHED);
  }
}
