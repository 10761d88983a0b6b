package io.jrt.core.device;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the GPUs of a node by what the kernel and the file system show, without any program or
 * library of their vendors: NVIDIA by its driver's part of /proc, AMD and Intel by /sys/class/drm.
 */
public final class GpuDiscovery {
  private final HostTree tree;

  /**
   * @param root where /dev, /proc, /sys and libraries are looked for, usually {@code /}
   */
  public GpuDiscovery(Path root) {
    this.tree = new HostTree(root);
  }

  /** A CDI spec for each kind of device that is there. */
  public List<CdiSpec> specs() {
    List<CdiSpec> specs = new ArrayList<>();
    specs.addAll(new NvidiaDriver(tree).specs());
    specs.addAll(new DrmCards(tree).specs());
    return specs;
  }

  /** The GPUs, NVIDIA's first. */
  public List<Gpu> gpus() {
    List<Gpu> gpus = new ArrayList<>();
    gpus.addAll(new NvidiaDriver(tree).gpus());
    gpus.addAll(new DrmCards(tree).gpus());
    return gpus;
  }
}
