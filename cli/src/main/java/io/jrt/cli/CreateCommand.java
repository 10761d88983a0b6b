package io.jrt.cli;

import java.io.IOException;
import java.util.List;

/** {@code jrt create}: everything of {@code jrt run} but the start. */
final class CreateCommand implements Command {
  @Override
  public Spec spec() {
    return new Spec(
        "create",
        "IMAGE [COMMAND [ARGUMENT…]]",
        "make a container without starting it",
        true,
        RunFlags.FLAGS,
        List.of("create --name later localhost/jrt-busybox echo hello"));
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    session.out().println(RunCommand.make(arguments, session).container());
    return 0;
  }
}
