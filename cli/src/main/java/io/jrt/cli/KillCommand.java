package io.jrt.cli;

import java.io.IOException;
import java.util.List;

/** {@code jrt kill}: a stop without grace. */
final class KillCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "kill",
        "CONTAINER…",
        "end containers at once (SIGKILL); jrt stop gives them time",
        List.of(),
        "kill web");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    for (String word : arguments.atLeastOne("container")) {
      String id = Objects.of(session.daemon()).container(word).getId();
      StopCommand.stop(session.daemon(), id, 0);
      session.out().println(word);
    }
    return 0;
  }
}
