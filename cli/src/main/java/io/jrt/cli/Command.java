package io.jrt.cli;

import java.io.IOException;

/** One command of {@code jrt}. */
interface Command {
  Spec spec();

  /**
   * Runs it.
   *
   * @return the exit code of the whole program
   */
  int run(Arguments arguments, Session session) throws IOException;
}
