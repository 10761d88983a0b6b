package io.jrt.server;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** Keeps a second daemon from a directory that one is using. It goes with the process. */
final class DaemonLock implements AutoCloseable {
  private static final String NAME = "daemon.lock";

  private final FileChannel channel;

  private DaemonLock(FileChannel channel) {
    this.channel = channel;
  }

  static DaemonLock take(Path directory) {
    Path file = directory.resolve(NAME);
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(channel) == null) {
        channel.close();
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            "lock directory",
            "another daemon uses " + directory,
            "stop it, or give this one a --root and a --state of its own",
            null);
      }
      return new DaemonLock(channel);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INTERNAL, "lock directory", "cannot lock " + file + ": " + e.getMessage(), e);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // by this very process
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
