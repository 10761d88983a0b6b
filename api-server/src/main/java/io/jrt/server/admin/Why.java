package io.jrt.server.admin;

import io.jrt.admin.v1.Fact;
import io.jrt.admin.v1.WhyRequest;
import io.jrt.admin.v1.WhyResponse;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStatus;
import io.jrt.core.ExitCause;
import io.jrt.core.PodState;
import io.jrt.core.PodStatus;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.ContainerEvent;
import io.jrt.events.Event;
import io.jrt.events.PodEvent;
import io.jrt.events.Recorded;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How a pod or a container came to be as it is, as a story for people. */
final class Why {
  private static final int EVENTS = 100_000;

  private final ContainerRuntime runtime;

  Why(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  WhyResponse handle(WhyRequest request) {
    String name = request.getName();
    if (name.isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, "why", "name is missing");
    }
    WhyResponse.Builder story = WhyResponse.newBuilder();
    String id = verdict(name, story);
    for (Recorded recorded : runtime.events().history(Instant.EPOCH, EVENTS)) {
      if (about(recorded.event(), id)) {
        story.addFacts(
            Fact.newBuilder()
                .setAt(Times.nanos(recorded.at()))
                .setText(Sentences.of(recorded.event())));
      }
    }
    return story.build();
  }

  /** Writes how it is, and returns the full id; what is gone has only its events. */
  private String verdict(String name, WhyResponse.Builder story) {
    try {
      ContainerStatus container = runtime.containerStatus(name);
      story.setVerdict(verdict(container));
      hint(container).ifPresent(story::setHint);
      return container.id();
    } catch (JrtException e) {
      refuseUnlessGone(e);
    }
    try {
      PodStatus pod = runtime.podStatus(name);
      story.setVerdict(verdict(pod));
      return pod.id();
    } catch (JrtException e) {
      refuseUnlessGone(e);
    }
    List<Event> history =
        runtime.events().history(Instant.EPOCH, EVENTS).stream().map(Recorded::event).toList();
    String id =
        history.stream()
            .filter(event -> about(event, name))
            .findFirst()
            .map(_ -> name)
            .or(() -> lastCalled(name, history))
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.NOT_FOUND,
                        "why",
                        "no pod or container " + name + " is or was here"));
    story.setVerdict(verdictOfGone(name, id, history));
    return id;
  }

  /** The id of what was made last under that name: NAME, NAMESPACE/POD or POD/CONTAINER. */
  private static Optional<String> lastCalled(String name, List<Event> history) {
    Map<String, String> pods = new HashMap<>();
    Optional<String> last = Optional.empty();
    for (Event event : history) {
      boolean called =
          switch (event) {
            case PodEvent.Created pod -> {
              pods.put(pod.podId(), pod.name());
              yield isCalled(name, pod.namespace(), pod.name());
            }
            case PodEvent.Failed pod -> isCalled(name, pod.namespace(), pod.name());
            case PodEvent.ContainerFailed failed ->
                isCalled(name, pods.getOrDefault(failed.podId(), ""), failed.container());
            case ContainerEvent.Created container ->
                isCalled(name, pods.getOrDefault(container.podId(), ""), container.name());
            default -> false;
          };
      last = called ? Optional.of(event.object()) : last;
    }
    return last;
  }

  private static boolean isCalled(String word, String above, String name) {
    return word.equals(name) || word.equals(above + "/" + name);
  }

  /** What is told first is how it failed or ended, if it did. */
  private static String verdictOfGone(String name, String id, List<Event> history) {
    return history.reversed().stream()
        .filter(event -> event.object().startsWith(id))
        .filter(
            event ->
                event instanceof ContainerEvent.StartFailed
                    || event instanceof ContainerEvent.Exited
                    || event instanceof PodEvent.Failed
                    || event instanceof PodEvent.ContainerFailed)
        .findFirst()
        .map(event -> name + " is gone: " + Sentences.of(event))
        .orElse(name + " was removed");
  }

  private static void refuseUnlessGone(JrtException e) {
    if (e.kind() != ErrorKind.NOT_FOUND) {
      throw e;
    }
  }

  private static boolean about(Event event, String id) {
    return event.object().startsWith(id)
        || (event instanceof ContainerEvent container && container.podId().startsWith(id));
  }

  private static String verdict(ContainerStatus container) {
    String name = "container " + container.config().metadata().name();
    return switch (container.state()) {
      case ContainerState.Created _ -> name + " was created and not started";
      case ContainerState.Running(Instant since, int pid) ->
          name + " runs since " + since + " as process " + pid;
      case ContainerState.Exited(_, Instant at, ExitCause cause) ->
          "%s ended at %s with exit code %d (%s)%s"
              .formatted(
                  name,
                  at,
                  cause.code(),
                  cause.reason(),
                  cause.message().isEmpty() ? "" : ": " + cause.message());
      case ContainerState.Unknown(_, String why) -> name + " is in an unknown state: " + why;
    };
  }

  private static String verdict(PodStatus pod) {
    String name =
        "pod " + pod.config().metadata().namespace() + "/" + pod.config().metadata().name();
    long running =
        pod.containers().stream()
            .filter(container -> container.state() instanceof ContainerState.Running)
            .count();
    return pod.state() == PodState.READY
        ? "%s is ready; %d of its %d containers run"
            .formatted(name, running, pod.containers().size())
        : name + " is not ready: it was stopped or lost what it stood on";
  }

  private static Optional<String> hint(ContainerStatus container) {
    if (!(container.state() instanceof ContainerState.Exited(_, _, ExitCause cause))) {
      return Optional.empty();
    }
    return switch (cause.reason()) {
      case "OOMKilled" ->
          Optional.of("raise the memory limit, or find out what takes so much (jrt stats)");
      case "StartError", "ContainerCannotRun" ->
          Optional.of("look at the command, the image and the mounts (jrt inspect)");
      case "Error" -> Optional.of("its last words are in 'jrt logs " + container.id() + "'");
      default -> Optional.empty();
    };
  }
}
