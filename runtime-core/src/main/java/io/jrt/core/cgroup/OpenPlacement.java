package io.jrt.core.cgroup;

import io.jrt.core.launch.CgroupPlacement;
import io.jrt.linux.Fd;

/** A {@link CgroupPlacement} together with the ownership of its descriptors. */
public record OpenPlacement(CgroupPlacement placement) implements AutoCloseable {
  @Override
  public void close() {
    Fd unified = placement.unified();
    if (unified != null) {
      unified.close();
    }
    placement.v1Tasks().forEach(Fd::close);
  }
}
