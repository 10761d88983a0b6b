package io.jrt.events;

import java.util.List;
import java.util.Map;

/** What happened to a pod sandbox. */
public sealed interface PodEvent extends Event {
  String podId();

  @Override
  default String object() {
    return podId();
  }

  /** The sandbox stands. */
  record Created(String podId, String namespace, String name, String uid, List<String> ips)
      implements PodEvent {
    public Created {
      ips = List.copyOf(ips);
    }
  }

  /** It is not ready any more; why is empty when someone asked for it. */
  record Stopped(String podId, String why) implements PodEvent {}

  /** Its record is gone. */
  record Removed(String podId) implements PodEvent {}

  /** It could not be made, and nothing of it is left. */
  record Failed(String podId, String namespace, String name, String step, String message)
      implements PodEvent {}

  /** A container of it could not be made, and nothing of that one is left. */
  record ContainerFailed(String podId, String container, String image, String step, String message)
      implements PodEvent {}

  /** Its limits were changed. */
  record Updated(String podId, Map<String, String> changes) implements PodEvent {
    public Updated {
      changes = Map.copyOf(changes);
    }
  }
}
