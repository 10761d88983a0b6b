package io.jrt.core;

import java.time.Instant;
import java.util.Optional;

/**
 * Where a container is in its life.
 *
 * <pre>
 *                start ok                 its process ended
 *   Created ------------------> Running --------------------> Exited
 *      |                           |                            ^
 *      |        start failed       | keeper gone                |
 *      +---------------------------|----------------------------+
 *                                  v                            | stop
 *                               Unknown ------------------------+
 * </pre>
 *
 * A container never leaves {@code Exited} but by removal, and never runs twice. {@code Unknown} is
 * told of a container whose keeper vanished without an exit record (it was killed from outside):
 * its processes may still run until a stop kills what is left in its cgroup.
 */
public sealed interface ContainerState {

  /** It has a snapshot and a record, and no process. */
  record Created() implements ContainerState {}

  /** Its process runs. */
  record Running(Instant startedAt, int pid) implements ContainerState {}

  /** Its process ended, or could not be started. */
  record Exited(Optional<Instant> startedAt, Instant finishedAt, ExitCause cause)
      implements ContainerState {}

  /** What became of its process cannot be told. */
  record Unknown(Optional<Instant> startedAt, String why) implements ContainerState {}
}
