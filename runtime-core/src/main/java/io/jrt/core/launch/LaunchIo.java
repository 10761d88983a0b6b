package io.jrt.core.launch;

/** What a process has as its standard input, output and error. */
public sealed interface LaunchIo {
  /**
   * Pipes for output and error.
   *
   * @param stdin whether input is a pipe too; else it is /dev/null
   */
  record Pipes(boolean stdin) implements LaunchIo {}

  /** A terminal of the container's own devpts, its controlling terminal, of that size at start. */
  record Terminal(int rows, int columns) implements LaunchIo {}
}
