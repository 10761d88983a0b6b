package io.jrt.core.io;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.IntSupplier;

/**
 * Moves the bytes of all containers and commands, with a handful of threads and buffers however
 * many there are.
 */
@SuppressWarnings("DoNotCallSuggester") // until the bodies are in
public final class IoEngine implements AutoCloseable {
  /** How long an attached client may hold a container without taking a byte. */
  public static final Duration SLOW_CLIENT_LIMIT = Duration.ofSeconds(60);

  private IoEngine() {}

  /**
   * Starts the engine.
   *
   * @param stateDirectory a directory of the engine's own on a file system that lasts as long as
   *     the boot ({@code /run}); what was in flight when the last daemon died lies there
   */
  public static IoEngine open(Kernel kernel, Path stateDirectory) {
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "open I/O engine", "not built yet");
  }

  /**
   * Begins, or after a restart of the daemon goes on, to serve a container's streams. Creates the
   * log file and its directories when they are missing.
   */
  public ContainerIo container(ContainerIoSpec spec, Stdio stdio) {
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "open container I/O", "not built yet");
  }

  /**
   * Serves the streams of a command for one client.
   *
   * @param exitCode blocks until the command has ended and gives its exit code; called on the
   *     thread of {@link ExecSession#awaitExit}
   */
  public ExecSession exec(Stdio stdio, StreamClient client, IntSupplier exitCode) {
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "open command I/O", "not built yet");
  }

  /** Stops the threads; containers and their pipes stay as they are. */
  @Override
  public void close() {}
}
