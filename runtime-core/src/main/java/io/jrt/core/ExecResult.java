package io.jrt.core;

import io.jrt.core.io.CommandOutput;

/**
 * What a finished command in a container gave, until it is closed.
 *
 * @param stdout the first 16 MiB of it
 * @param stderr the first 16 MiB of it
 * @param exitCode 128 + the signal's number when a signal ended it
 */
public record ExecResult(CommandOutput stdout, CommandOutput stderr, int exitCode)
    implements AutoCloseable {
  @Override
  public void close() {
    stdout.close();
    stderr.close();
  }
}
