package io.jrt.cli;

import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.ListContainersResponse;
import io.jrt.cri.v1.ListPodSandboxRequest;
import io.jrt.cri.v1.ListPodSandboxResponse;
import io.jrt.cri.v1.PodSandbox;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Finds pods and containers by what people call them: a name, an id, or the beginning of one. */
final class Objects {
  private final List<PodSandbox> pods;
  private final List<Container> containers;

  private Objects(List<PodSandbox> pods, List<Container> containers) {
    this.pods = pods;
    this.containers = containers;
  }

  static Objects of(Daemon daemon) throws IOException {
    return new Objects(
        daemon
            .runtime(
                "ListPodSandbox",
                ListPodSandboxRequest.getDefaultInstance(),
                ListPodSandboxResponse.parser())
            .getItemsList(),
        daemon
            .runtime(
                "ListContainers",
                ListContainersRequest.getDefaultInstance(),
                ListContainersResponse.parser())
            .getContainersList());
  }

  List<PodSandbox> pods() {
    return pods;
  }

  List<Container> containers() {
    return containers;
  }

  /** The pod's name as people write it. */
  static String name(PodSandbox pod) {
    return pod.getMetadata().getName();
  }

  static String name(Container container) {
    return container.getMetadata().getName();
  }

  Optional<PodSandbox> podOf(Container container) {
    return pods.stream().filter(p -> p.getId().equals(container.getPodSandboxId())).findFirst();
  }

  /** A container by id, name, or {@code pod/container}. */
  Optional<Container> findContainer(String word) {
    List<Container> named =
        containers.stream()
            .filter(
                c ->
                    name(c).equals(word)
                        || podOf(c).map(p -> name(p) + "/" + name(c)).orElse("").equals(word))
            .toList();
    if (named.size() > 1) {
      // The one that runs is meant, if there is one: attempts that ended keep their name.
      List<Container> running = named.stream().filter(c -> c.getState().getNumber() == 1).toList();
      named = running.isEmpty() ? List.of(named.getLast()) : running;
    }
    if (named.isEmpty() && !word.isEmpty()) {
      named = containers.stream().filter(c -> c.getId().startsWith(word)).toList();
    }
    return single(named, "container", word);
  }

  Optional<PodSandbox> findPod(String word) {
    List<PodSandbox> named =
        pods.stream()
            .filter(
                p ->
                    name(p).equals(word)
                        || (p.getMetadata().getNamespace() + "/" + name(p)).equals(word))
            .toList();
    if (named.isEmpty() && !word.isEmpty()) {
      named = pods.stream().filter(p -> p.getId().startsWith(word)).toList();
    }
    return single(named, "pod", word);
  }

  Container container(String word) {
    Optional<Container> container = findContainer(word);
    if (container.isPresent()) {
      return container.get();
    }
    List<String> names = containers.stream().map(Objects::name).toList();
    throw new UsageException(
        "no container "
            + word
            + Nearest.to(word, names)
                .map(n -> "; did you mean " + n + "?")
                .orElse("; jrt ps -a lists them"));
  }

  PodSandbox pod(String word) {
    Optional<PodSandbox> pod = findPod(word);
    if (pod.isPresent()) {
      return pod.get();
    }
    List<String> names = pods.stream().map(Objects::name).toList();
    throw new UsageException(
        "no pod "
            + word
            + Nearest.to(word, names)
                .map(n -> "; did you mean " + n + "?")
                .orElse("; jrt pods lists them"));
  }

  private static <T> Optional<T> single(List<T> found, String what, String word) {
    if (found.size() > 1) {
      throw new UsageException(
          found.size() + " " + what + "s are called " + word + "; give more of the id");
    }
    return found.stream().findFirst();
  }
}
