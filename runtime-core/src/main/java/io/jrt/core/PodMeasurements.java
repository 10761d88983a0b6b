package io.jrt.core;

import java.util.List;

/** A pod with all that can be measured of its running containers. */
public record PodMeasurements(PodStats stats, List<ContainerMeasurements> containers) {

  public PodMeasurements {
    containers = List.copyOf(containers);
  }
}
