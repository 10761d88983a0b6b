package io.jrt.core.launch;

import io.jrt.linux.Fd;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A process that was started here, running or ended. Its descriptors are this object's: they close
 * with {@link #close()}.
 */
public sealed interface LiveProcess extends AutoCloseable permits LiveContainer, LiveExec {
  /** In the daemon's pid namespace. Not to be signalled by number: use {@link #kill}. */
  int pid();

  /** Since boot, in clock ticks, as in field 22 of /proc/PID/stat. */
  long startTime();

  /**
   * Refers to this very process also after its end. Empty when it had ended, and its pid was free
   * again, before this daemon found it.
   */
  Optional<Fd> pidfd();

  /** The write end of its standard input, when that is a pipe that is still open here. */
  Optional<Fd> stdin();

  /** The read end of its standard output, when that is a pipe. */
  Optional<Fd> stdout();

  /** The read end of its standard error, when that is a pipe. */
  Optional<Fd> stderr();

  /** The master side of its terminal, when it has one. */
  Optional<Fd> terminal();

  /** Ends its standard input, after which {@link #stdin} is empty. A terminal has no such end. */
  void closeStdin();

  /**
   * Sets the terminal's size; the process gets SIGWINCH.
   *
   * @throws io.jrt.errors.JrtException FAILED_PRECONDITION when it has no terminal
   */
  void resize(int rows, int columns);

  /** Sends a signal; false when the process has ended. */
  boolean kill(int signal);

  /** How it ended, if it has. */
  Optional<ExitRecord> exit();

  /**
   * Waits for the end.
   *
   * @throws io.jrt.errors.JrtException DATA_LOSS when nobody is left who could know how it ended
   */
  ExitRecord awaitExit() throws InterruptedException;

  /** Waits at most that long; empty when it still runs then. */
  Optional<ExitRecord> awaitExit(Duration timeout) throws InterruptedException;

  /** Runs the action once, on a virtual thread, when the process has ended or if it already has. */
  void onExit(Consumer<ExitRecord> action);

  @Override
  void close();
}
