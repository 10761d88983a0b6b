package io.jrt.core.cgroup;

import java.util.Optional;

/**
 * Measures one cgroup again and again: the files that tell its use stay open, and a measurement is
 * one read of each. Close it when the cgroup goes; until then its descriptors are in use.
 */
public interface CgroupMeter extends AutoCloseable {

  /** Present use; empty when the cgroup was removed or this was closed. */
  Optional<CgroupStats> read();

  @Override
  void close();
}
