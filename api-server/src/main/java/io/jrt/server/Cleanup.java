package io.jrt.server;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.core.PodFilter;
import io.jrt.core.PodSummary;
import io.jrt.core.life.ControlGroups;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.MountEntry;
import io.jrt.network.NetworkProvider;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a daemon's every trace from the machine: pods and their processes, its network, its
 * cgroups, its mounts, its directories.
 */
final class Cleanup {
  private static final Logger log = LoggerFactory.getLogger(Cleanup.class);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final ContainerRuntime runtime;
  private final NetworkProvider network;
  private final ControlGroups cgroups;

  Cleanup(ContainerRuntime runtime, NetworkProvider network, ControlGroups cgroups) {
    this.runtime = runtime;
    this.network = network;
    this.cgroups = cgroups;
  }

  /** Removes all pods with what is theirs, and what the daemon has for all of them. */
  void emptyNode() {
    for (PodSummary pod : runtime.pods(PodFilter.ALL)) {
      log.info("removing pod {}", pod.id());
      runtime.removePod(pod.id(), Deadline.after(PATIENCE));
    }
    network.cleanupAll();
    cgroups.removeAll();
  }

  /** Detaches every mount below a directory, the deepest first, and removes it whole. */
  static void removeDirectory(Kernel kernel, Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    List<MountEntry> mounts = kernel.mounts().mountInfo();
    for (MountEntry mount : mounts.reversed()) {
      Path point = Path.of(mount.target());
      if (point.startsWith(directory)) {
        kernel.mounts().detach(point);
      }
    }
    Path parent = directory.getParent();
    Path name = directory.getFileName();
    if (parent == null || name == null) {
      return; // the root of the file system is nobody's to remove
    }
    try (Fd above = kernel.files().openDirectory(parent)) {
      kernel.files().removeTree(above, name.toString().getBytes(StandardCharsets.UTF_8), false);
    }
  }
}
