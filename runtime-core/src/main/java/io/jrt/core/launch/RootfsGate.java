package io.jrt.core.launch;

import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * The hooks of a launch: a stop for programs of the host that must see the container when its
 * namespaces, mounts and devices are there and its root is not changed yet, and programs of the
 * container's own that run right before its program, as its user.
 *
 * @param place an empty directory of the host where, in the container's mount namespace, its root
 *     file system lies meanwhile
 * @param run called with the pid of the waiting process; what it throws ends the launch
 * @param inside programs of the container's file system, one after the other
 * @param state what those are told on standard input, around the pid that the process has in the
 *     container
 */
public record RootfsGate(Path place, IntConsumer run, List<Inside> inside, State state) {
  public RootfsGate {
    inside = List.copyOf(inside);
  }

  /** A text without its middle. */
  public record State(String before, String after) {}

  /**
   * A program in the container.
   *
   * @param seconds how long it may take; 0 for no limit
   * @param what names it in errors
   */
  public record Inside(
      String path, List<String> args, List<String> environment, int seconds, String what) {
    public Inside {
      args = List.copyOf(args);
      environment = List.copyOf(environment);
    }
  }
}
