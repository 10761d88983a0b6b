package io.jrt.core.io;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What the I/O of one container is to be.
 *
 * @param containerId full id
 * @param stateDirectory a directory of this container's own that lasts as long as the boot; holds
 *     the unfinished last lines of its log across a restart of the daemon
 * @param log where its log goes
 * @param stdinOnce whether its stdin ends with the first client's
 */
public record ContainerIoSpec(
    String containerId, Path stateDirectory, LogTarget log, boolean stdinOnce) {

  /** Where a log goes. */
  public sealed interface LogTarget {
    /**
     * A file {@code path} below {@code directory}; the path comes from the kubelet, is relative,
     * and may not leave the directory.
     */
    record ToFile(Path directory, String path) implements LogTarget {}

    /** Output is thrown away when nobody is attached. */
    record Discard() implements LogTarget {}
  }

  /** The target that CRI's {@code log_directory} and {@code log_path} mean. */
  public static LogTarget logTarget(String directory, String path) {
    return directory.isEmpty() || path.isEmpty()
        ? new LogTarget.Discard()
        : new LogTarget.ToFile(Path.of(directory), path);
  }

  /** The log file, for readers of it. */
  public Optional<Path> logFile() {
    return switch (log) {
      case LogTarget.ToFile(Path directory, String path) -> Optional.of(directory.resolve(path));
      case LogTarget.Discard() -> Optional.empty();
    };
  }
}
