package io.jrt.events;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** What happened to a container. */
public sealed interface ContainerEvent extends Event {
  String containerId();

  String podId();

  @Override
  default String object() {
    return containerId();
  }

  /** It has a record and a snapshot. */
  record Created(String containerId, String podId, String name, String image, String imageId)
      implements ContainerEvent {}

  /** Its process runs. */
  record Started(String containerId, String podId, int pid) implements ContainerEvent {}

  /** Its process could not be started. */
  record StartFailed(String containerId, String podId, int exitCode, String reason, String message)
      implements ContainerEvent {}

  /** Someone asked for it to stop. */
  record StopRequested(String containerId, String podId, String signal, long graceMillis)
      implements ContainerEvent {}

  /**
   * Its process ended.
   *
   * @param signal the signal that ended it, if one did
   * @param sentBy {@code runtime} when jrt sent that signal, {@code kernel} when it ran out of
   *     memory; else empty
   */
  record Exited(
      String containerId,
      String podId,
      int exitCode,
      OptionalInt signal,
      String reason,
      String message,
      String sentBy)
      implements ContainerEvent {}

  /** The kernel killed a process of it that is not its first, for want of memory. */
  record OutOfMemory(String containerId, String podId, long kills) implements ContainerEvent {}

  /**
   * Its seccomp filter denied a system call, told once for each call and command.
   *
   * @param systemCall its name, or its number where nothing knows it
   * @param command the short name of the process
   * @param pid as the node counts
   */
  record CallDenied(String containerId, String podId, String systemCall, String command, int pid)
      implements ContainerEvent {}

  /** Its limits were changed. */
  record Updated(String containerId, String podId, Map<String, String> changes)
      implements ContainerEvent {
    public Updated {
      changes = Map.copyOf(changes);
    }
  }

  /** A command was run in it. */
  record Executed(String containerId, String podId, List<String> command, int exitCode, long millis)
      implements ContainerEvent {
    public Executed {
      command = List.copyOf(command);
    }
  }

  /** Its record and its snapshot are gone. */
  record Removed(String containerId, String podId) implements ContainerEvent {}
}
