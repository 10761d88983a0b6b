package io.jrt.cli;

import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.PodSandbox;
import io.jrt.cri.v1.RemoveContainerRequest;
import io.jrt.cri.v1.RemoveContainerResponse;
import io.jrt.cri.v1.RemovePodSandboxRequest;
import io.jrt.cri.v1.RemovePodSandboxResponse;
import io.jrt.cri.v1.StopPodSandboxRequest;
import io.jrt.cri.v1.StopPodSandboxResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code jrt rm}. A pod that {@code jrt run} made around one container goes with that container.
 */
final class RmCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "rm",
        "CONTAINER|POD…",
        "remove containers or whole pods",
        List.of(
            Flag.toggle('f', "force", "also what runs"),
            Flag.toggle('a', "all", "everything that does not run; with -f everything")),
        "rm -f web");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    boolean force = arguments.has("force");
    Objects objects = Objects.of(session.daemon());
    List<String> words = new ArrayList<>(arguments.rest());
    if (arguments.has("all")) {
      objects.containers().stream()
          .filter(c -> force || c.getState() != ContainerState.CONTAINER_RUNNING)
          .forEach(c -> words.add(c.getId()));
    } else {
      arguments.atLeastOne("container or pod");
    }
    for (String word : words) {
      Optional<Container> container = objects.findContainer(word);
      if (container.isPresent()) {
        remove(session, objects, container.get(), force);
      } else {
        PodSandbox pod = objects.pod(word);
        for (Container inside : objects.containers()) {
          if (inside.getPodSandboxId().equals(pod.getId())) {
            refuseRunning(inside, force);
          }
        }
        removePod(session.daemon(), pod.getId());
      }
      session.out().println(word);
    }
    return 0;
  }

  private static void remove(Session session, Objects objects, Container container, boolean force)
      throws IOException {
    refuseRunning(container, force);
    Optional<PodSandbox> own =
        objects
            .podOf(container)
            .filter(pod -> RunCommand.OWNER.equals(pod.getLabelsOrDefault(RunCommand.LABEL, "")));
    if (own.isPresent()) {
      removePod(session.daemon(), own.get().getId());
      return;
    }
    session
        .daemon()
        .runtime(
            "RemoveContainer",
            RemoveContainerRequest.newBuilder().setContainerId(container.getId()).build(),
            RemoveContainerResponse.parser());
  }

  private static void refuseRunning(Container container, boolean force) {
    if (!force && container.getState() == ContainerState.CONTAINER_RUNNING) {
      throw new UsageException(
          "container "
              + Objects.name(container)
              + " is running: stop it first, or remove it with -f");
    }
  }

  static void removePod(Daemon daemon, String id) throws IOException {
    daemon.runtime(
        "StopPodSandbox",
        StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build(),
        StopPodSandboxResponse.parser());
    daemon.runtime(
        "RemovePodSandbox",
        RemovePodSandboxRequest.newBuilder().setPodSandboxId(id).build(),
        RemovePodSandboxResponse.parser());
  }
}
