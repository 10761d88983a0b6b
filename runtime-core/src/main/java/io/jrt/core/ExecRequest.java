package io.jrt.core;

import java.util.List;

/** A command to run in a container with streams attached. */
public record ExecRequest(
    List<Bytes> command,
    boolean tty,
    boolean stdin,
    boolean stdout,
    boolean stderr,
    ExecChanges changes) {
  public ExecRequest {
    command = List.copyOf(command);
  }

  /** As the container's own process. */
  public ExecRequest(
      List<Bytes> command, boolean tty, boolean stdin, boolean stdout, boolean stderr) {
    this(command, tty, stdin, stdout, stderr, ExecChanges.NONE);
  }
}
