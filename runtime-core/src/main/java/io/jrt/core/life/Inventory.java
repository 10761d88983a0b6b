package io.jrt.core.life;

import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerMetadata;
import io.jrt.core.PodFilter;
import io.jrt.core.PodMetadata;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** All pods and containers, in memory: every list and status call is answered from here. */
final class Inventory {
  private final Map<String, Pod> pods = new ConcurrentHashMap<>();
  private final Map<String, Container> containers = new ConcurrentHashMap<>();

  void add(Pod pod) {
    pods.put(pod.id(), pod);
  }

  void add(Container container) {
    containers.put(container.id(), container);
  }

  void remove(Pod pod) {
    pods.remove(pod.id());
  }

  void remove(Container container) {
    containers.remove(container.id());
  }

  Collection<Pod> pods() {
    return pods.values();
  }

  Collection<Container> containers() {
    return containers.values();
  }

  Optional<Pod> findPod(String idOrPrefix) {
    return find("pod", pods, idOrPrefix);
  }

  Optional<Container> findContainer(String idOrPrefix) {
    return find("container", containers, idOrPrefix);
  }

  Pod pod(String idOrPrefix) {
    return findPod(idOrPrefix).orElseThrow(() -> absent("pod", idOrPrefix));
  }

  Container container(String idOrPrefix) {
    return findContainer(idOrPrefix).orElseThrow(() -> absent("container", idOrPrefix));
  }

  Optional<Pod> podNamed(PodMetadata name) {
    return pods.values().stream()
        .filter(pod -> pod.record().config().metadata().equals(name))
        .findFirst();
  }

  Optional<Container> containerNamed(String podId, ContainerMetadata name) {
    return containers.values().stream()
        .filter(container -> container.podId().equals(podId))
        .filter(container -> container.record().config().metadata().equals(name))
        .findFirst();
  }

  List<Container> containersOf(String podId) {
    return containers.values().stream()
        .filter(container -> container.podId().equals(podId))
        .sorted(Comparator.comparing(container -> container.record().createdAt()))
        .toList();
  }

  List<Pod> pods(PodFilter filter) {
    List<Pod> matching = new ArrayList<>();
    for (Pod pod : pods.values()) {
      if (pod.id().startsWith(filter.id())
          && filter.state().map(state -> state == pod.state()).orElse(true)
          && hasLabels(pod.record().config().labels(), filter.labels())) {
        matching.add(pod);
      }
    }
    matching.sort(Comparator.comparing(pod -> pod.record().createdAt()));
    return matching;
  }

  List<Container> containers(ContainerFilter filter) {
    List<Container> matching = new ArrayList<>();
    for (Container container : containers.values()) {
      if (container.id().startsWith(filter.id())
          && container.podId().startsWith(filter.podId())
          && filter
              .state()
              .map(state -> state == ContainerFilter.StateName.of(container.state()))
              .orElse(true)
          && hasLabels(container.record().config().labels(), filter.labels())) {
        matching.add(container);
      }
    }
    matching.sort(Comparator.comparing(container -> container.record().createdAt()));
    return matching;
  }

  private static boolean hasLabels(Map<String, String> labels, Map<String, String> wanted) {
    return labels.entrySet().containsAll(wanted.entrySet());
  }

  private static <T> Optional<T> find(String what, Map<String, T> all, String idOrPrefix) {
    if (idOrPrefix.isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, "find " + what, "no " + what + " id is given");
    }
    T exact = all.get(idOrPrefix);
    if (exact != null) {
      return Optional.of(exact);
    }
    List<String> ids = all.keySet().stream().filter(id -> id.startsWith(idOrPrefix)).toList();
    if (ids.size() > 1) {
      throw new JrtException(
          ErrorKind.INVALID,
          "find " + what,
          "%d %ss have an id that begins with %s".formatted(ids.size(), what, idOrPrefix));
    }
    return ids.isEmpty() ? Optional.empty() : Optional.ofNullable(all.get(ids.getFirst()));
  }

  private static JrtException absent(String what, String id) {
    return new JrtException(
        ErrorKind.NOT_FOUND, "find " + what, "no " + what + " has the id " + id);
  }
}
