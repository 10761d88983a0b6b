package io.jrt.core.life;

import io.jrt.core.launch.LaunchSpec;
import io.jrt.core.launch.ProcessSpec;
import io.jrt.linux.Fd;
import io.jrt.volumes.PreparedMount;
import java.util.ArrayList;
import java.util.List;

/**
 * A container's launch, prepared: the spec and every descriptor it refers to, to be closed after.
 */
final class LaunchPlan implements AutoCloseable {
  private final List<AutoCloseable> owned = new ArrayList<>();

  /** Takes ownership. */
  Fd own(Fd fd) {
    owned.add(fd);
    return fd;
  }

  /** Takes ownership. */
  List<PreparedMount> own(List<PreparedMount> mounts) {
    owned.addAll(mounts);
    return mounts;
  }

  /**
   * A launch spec with the process it starts, from which commands take their rights.
   *
   * @param notes what could not be set as asked, in words
   */
  record Decided(LaunchSpec spec, ProcessSpec process, List<String> notes) {}

  @Override
  public void close() {
    for (AutoCloseable each : owned.reversed()) {
      try {
        each.close();
      } catch (Exception e) {
        throw new IllegalStateException("closing a descriptor cannot fail", e);
      }
    }
    owned.clear();
  }
}
