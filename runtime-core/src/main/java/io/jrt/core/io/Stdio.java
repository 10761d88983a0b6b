package io.jrt.core.io;

import io.jrt.linux.Fd;

/**
 * The daemon's ends of a process's standard streams. Whoever is given one owns the descriptors and
 * switches them to non-blocking; that is safe, as the process has open file descriptions of its
 * own.
 */
public sealed interface Stdio {

  /** The read ends of two pipes; the process has no stdin. */
  record Outputs(Fd stdout, Fd stderr) implements Stdio {}

  /** The read ends of two pipes and the write end of a third. */
  record Pipes(Fd stdin, Fd stdout, Fd stderr) implements Stdio {}

  /**
   * The master of a pseudo-terminal.
   *
   * @param takesInput whether clients may type
   */
  record Terminal(Fd master, boolean takesInput) implements Stdio {}
}
