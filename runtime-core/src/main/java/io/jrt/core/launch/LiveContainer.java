package io.jrt.core.launch;

import java.nio.file.Path;
import java.util.List;

/**
 * The init process of a container, held by its keeper. The keeper holds output that was not read
 * and the exit record until {@link #acknowledge}; so a daemon that dies loses neither.
 */
public non-sealed interface LiveContainer extends LiveProcess {
  /** The directory that {@link Launcher#start} was given. */
  Path keeperDir();

  /** The keeper's process. */
  int keeperPid();

  /** What could not be set as asked and was clamped, in words; empty as a rule. */
  List<String> clamped();

  /**
   * Starts a further process in the container.
   *
   * @throws io.jrt.errors.JrtException as {@link Launcher#start}; FAILED_PRECONDITION when the
   *     container has ended
   */
  LiveExec exec(ExecSpec spec, LaunchIo io);

  /**
   * Lets the keeper go: the exit record is stored and all output read. Only for a container that
   * has ended. Does nothing the second time.
   */
  void acknowledge();

  /** Frees this daemon's descriptors; container and keeper go on, as if the daemon had died. */
  @Override
  void close();
}
