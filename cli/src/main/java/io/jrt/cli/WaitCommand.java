package io.jrt.cli;

import java.io.IOException;
import java.util.List;

/** {@code jrt wait}. */
final class WaitCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "wait",
        "CONTAINER…",
        "wait until containers have ended and print their exit codes",
        List.of(),
        "wait job");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    for (String word : arguments.atLeastOne("container")) {
      String id = Objects.of(session.daemon()).container(word).getId();
      session.out().println(AttachCommand.awaitEnd(session, id).getExitCode());
      session.out().flush();
    }
    return 0;
  }
}
