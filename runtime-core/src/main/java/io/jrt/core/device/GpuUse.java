package io.jrt.core.device;

import java.util.List;

/** A GPU and the running containers that have it. */
public record GpuUse(Gpu gpu, List<String> containerIds) {
  public GpuUse {
    containerIds = List.copyOf(containerIds);
  }
}
