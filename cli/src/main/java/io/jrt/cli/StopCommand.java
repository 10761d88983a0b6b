package io.jrt.cli;

import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.PodSandbox;
import io.jrt.cri.v1.StopContainerRequest;
import io.jrt.cri.v1.StopContainerResponse;
import io.jrt.cri.v1.StopPodSandboxRequest;
import io.jrt.cri.v1.StopPodSandboxResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code jrt stop}: containers first, then pods, whichever the word names. */
final class StopCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "stop",
        "CONTAINER|POD…",
        "stop containers or whole pods",
        List.of(Flag.option('t', "time", "SECONDS", "grace before the kill; 10 if not given")),
        "stop -t 2 web");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    long grace = arguments.number("time", 10);
    for (String word : arguments.atLeastOne("container or pod")) {
      Objects objects = Objects.of(session.daemon());
      Optional<Container> container = objects.findContainer(word);
      if (container.isPresent()) {
        stop(session.daemon(), container.get().getId(), grace);
      } else {
        PodSandbox pod = objects.pod(word);
        for (Container inside : objects.containers()) {
          if (inside.getPodSandboxId().equals(pod.getId())) {
            stop(session.daemon(), inside.getId(), grace);
          }
        }
        session
            .daemon()
            .runtime(
                "StopPodSandbox",
                StopPodSandboxRequest.newBuilder().setPodSandboxId(pod.getId()).build(),
                StopPodSandboxResponse.parser());
      }
      session.out().println(word);
    }
    return 0;
  }

  static void stop(Daemon daemon, String id, long grace) throws IOException {
    daemon.runtime(
        "StopContainer",
        StopContainerRequest.newBuilder().setContainerId(id).setTimeout(grace).build(),
        StopContainerResponse.parser());
  }
}
