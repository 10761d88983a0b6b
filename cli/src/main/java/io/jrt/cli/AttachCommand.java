package io.jrt.cli;

import io.jrt.cri.v1.AttachRequest;
import io.jrt.cri.v1.AttachResponse;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ContainerStatusRequest;
import io.jrt.cri.v1.ContainerStatusResponse;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;

/** {@code jrt attach}. */
final class AttachCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "attach",
        "CONTAINER",
        "join the terminal to a container's own streams; ctrl-p ctrl-q leaves it running",
        List.of(
            Flag.toggle('t', "tty", "the container was started with a terminal"),
            Flag.toggle("no-stdin", "only watch")),
        "attach -t shell");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    String id = Objects.of(session.daemon()).container(arguments.one("container")).getId();
    return attach(session, id, !arguments.has("no-stdin"), arguments.has("tty"));
  }

  /** Attaches until the container ends; its exit code, or zero if the person left. */
  static int attach(Session session, String id, boolean input, boolean tty) throws IOException {
    AttachRequest request =
        AttachRequest.newBuilder()
            .setContainerId(id)
            .setStdin(input)
            .setTty(tty)
            .setStdout(true)
            .setStderr(!tty)
            .build();
    String url = session.daemon().runtime("Attach", request, AttachResponse.parser()).getUrl();
    OptionalInt ended = Interactive.join(url, input, tty, session);
    if (ended.isEmpty()) {
      return Interactive.DETACHED;
    }
    return status(session, id).getExitCode();
  }

  static ContainerStatus status(Session session, String id) throws IOException {
    return session
        .daemon()
        .runtime(
            "ContainerStatus",
            ContainerStatusRequest.newBuilder().setContainerId(id).build(),
            ContainerStatusResponse.parser())
        .getStatus();
  }
}
