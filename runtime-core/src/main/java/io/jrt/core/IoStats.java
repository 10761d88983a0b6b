package io.jrt.core;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Input and output of block devices, and the pressure of waiting for it. */
public record IoStats(Instant at, Optional<Psi> psi, List<Device> devices) {

  public IoStats {
    devices = List.copyOf(devices);
  }

  /**
   * One block device since the beginning.
   *
   * @param major with the minor: its numbers
   * @param name such as {@code sda}, or its numbers when it is gone
   */
  public record Device(
      int major,
      int minor,
      String name,
      long readBytes,
      long writtenBytes,
      long reads,
      long writes) {}
}
