package io.jrt.core.device;

import io.jrt.linux.Nvml;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the GPUs of a node by what the kernel and the file system show: NVIDIA by its driver's part
 * of /proc, AMD and Intel by /sys/class/drm. Only what is in use of NVIDIA's is asked of their
 * library, where it is there.
 */
public final class GpuDiscovery {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final HostTree tree;
  private final NvidiaMeter meter;

  /**
   * @param root where /dev, /proc, /sys and libraries are looked for, usually {@code /}
   */
  public GpuDiscovery(Path root) {
    this.tree = new HostTree(root);
    this.meter = new NvidiaMeter(() -> Nvml.load(NvidiaDriver.library(tree)), PATIENCE);
  }

  /** A CDI spec for each kind of device that is there. */
  public List<CdiSpec> specs() {
    List<CdiSpec> specs = new ArrayList<>();
    specs.addAll(new NvidiaDriver(tree, meter).specs());
    specs.addAll(new DrmCards(tree).specs());
    return specs;
  }

  /** The GPUs, NVIDIA's first. */
  public List<Gpu> gpus() {
    List<Gpu> gpus = new ArrayList<>();
    gpus.addAll(new NvidiaDriver(tree, meter).gpus());
    gpus.addAll(new DrmCards(tree).gpus());
    return gpus;
  }
}
