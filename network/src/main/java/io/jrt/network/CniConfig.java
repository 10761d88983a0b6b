package io.jrt.network;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * How CNI plugins are found and run.
 *
 * @param confDirs directories with network configurations; the first one that holds a valid one
 *     wins
 * @param binDirs directories with plugins, searched in this order and told to plugins as CNI_PATH
 * @param cacheDir where results are kept, in libcni's format
 * @param pluginTimeout how long one plugin may run before its process group is killed
 */
public record CniConfig(
    List<Path> confDirs, List<Path> binDirs, Path cacheDir, Duration pluginTimeout) {
  /** The places plain CNI, k3s and Debian use. */
  public static final CniConfig DEFAULT =
      new CniConfig(
          List.of(Path.of("/etc/cni/net.d"), Path.of("/var/lib/rancher/k3s/agent/etc/cni/net.d")),
          List.of(
              Path.of("/opt/cni/bin"),
              Path.of("/var/lib/rancher/k3s/data/cni"),
              Path.of("/usr/lib/cni"),
              Path.of("/usr/libexec/cni")),
          Path.of("/var/lib/cni"),
          Duration.ofSeconds(60));

  public CniConfig {
    confDirs = List.copyOf(confDirs);
    binDirs = List.copyOf(binDirs);
  }
}
