package io.jrt.core.launch;

/**
 * A process started in a container after its init, in a session of its own. It does not outlive the
 * daemon: its supervisor kills it then, because nobody could keep its timeout.
 */
public non-sealed interface LiveExec extends LiveProcess {
  /**
   * Kills it and what it started: its session, its process group and all its descendants that can
   * be found. Waits for the end of none of them.
   */
  void killAll();

  /** Frees its descriptors; a process that still runs is killed. */
  @Override
  void close();
}
