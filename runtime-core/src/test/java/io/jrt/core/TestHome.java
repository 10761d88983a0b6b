package io.jrt.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A directory of a test that bears its owner's process id: when that process was killed, {@code
 * dist/dev/sweep} takes away what it has left there.
 */
public final class TestHome {
  private TestHome() {}

  /** Makes {@code jrt-KIND-PID-…}. */
  public static Path make(String kind) throws IOException {
    return Files.createTempDirectory("jrt-" + kind + "-" + ProcessHandle.current().pid() + "-");
  }
}
