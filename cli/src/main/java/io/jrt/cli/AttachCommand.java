package io.jrt.cli;

import io.jrt.admin.v1.InspectRequest;
import io.jrt.admin.v1.InspectResponse;
import io.jrt.admin.v1.ObjectKind;
import io.jrt.cri.v1.AttachRequest;
import io.jrt.cri.v1.AttachResponse;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ContainerStatusRequest;
import io.jrt.cri.v1.ContainerStatusResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** {@code jrt attach}. */
final class AttachCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "attach",
        "CONTAINER",
        "join the terminal to a container's own streams; ctrl-p ctrl-q leaves it running",
        List.of(Flag.toggle("no-stdin", "only watch")),
        "attach shell");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    String id = Objects.of(session.daemon()).container(arguments.one("container")).getId();
    boolean tty = hasTerminal(session, id);
    return attach(session, id, !arguments.has("no-stdin"), tty, () -> {})
        .orElse(Interactive.DETACHED);
  }

  private static boolean hasTerminal(Session session, String id) throws IOException {
    String json =
        session
            .daemon()
            .admin(
                "Inspect",
                InspectRequest.newBuilder()
                    .setName(id)
                    .setKind(ObjectKind.OBJECT_KIND_CONTAINER)
                    .build(),
                InspectResponse.parser())
            .getJson();
    return new JsonReader(json).whole() instanceof Map<?, ?> whole
        && whole.get("container") instanceof Map<?, ?> container
        && container.get("config") instanceof Map<?, ?> config
        && Boolean.TRUE.equals(config.get("tty"));
  }

  /**
   * Attaches until the container ends.
   *
   * @param joined run when its streams and ours are one; starts it, if it was only created
   * @return its exit code; empty when the person left
   */
  static OptionalInt attach(
      Session session, String id, boolean input, boolean tty, Interactive.Step joined)
      throws IOException {
    AttachRequest request =
        AttachRequest.newBuilder()
            .setContainerId(id)
            .setStdin(input)
            .setTty(tty)
            .setStdout(true)
            .setStderr(!tty)
            .build();
    String url = session.daemon().runtime("Attach", request, AttachResponse.parser()).getUrl();
    OptionalInt ended = Interactive.join(url, input, tty, session, joined);
    return ended.isEmpty() ? ended : OptionalInt.of(awaitEnd(session, id).getExitCode());
  }

  /** Waits until the container has ended. */
  static ContainerStatus awaitEnd(Session session, String id) throws IOException {
    long pause = 5;
    while (true) {
      ContainerStatus status = status(session, id);
      switch (status.getState()) {
        case CONTAINER_EXITED, CONTAINER_UNKNOWN, UNRECOGNIZED -> {
          return status;
        }
        case CONTAINER_CREATED, CONTAINER_RUNNING -> {
          try {
            Thread.sleep(pause);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return status;
          }
          pause = Math.min(250, pause * 2);
        }
      }
    }
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
