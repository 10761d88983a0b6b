package io.jrt.core.life;

import io.jrt.core.PodConfig;
import io.jrt.core.store.Layout;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.MountEntry;
import io.jrt.linux.MountFlags;
import io.jrt.network.DnsConfig;
import io.jrt.network.PodFiles;
import io.jrt.security.UserNamespaceMaps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a pod's containers share as files: resolv.conf, hostname, hosts, and shared memory. */
final class PodDirectory {
  private static final String STEP = "write pod files";

  private final Kernel kernel;
  private final Layout layout;
  private final CoreConfig config;

  PodDirectory(Kernel kernel, Layout layout, CoreConfig config) {
    this.kernel = kernel;
    this.layout = layout;
    this.config = config;
  }

  /** The name the pod's processes see. */
  String hostname(PodConfig pod, boolean hostNetwork) {
    if (!hostNetwork) {
      return pod.hostname();
    }
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot read the node's host name", e);
    }
  }

  void writeFiles(Pod pod, List<String> ips) {
    PodConfig request = pod.record().config();
    Path etc = layout.etc(pod.id());
    DnsConfig dns = dns(request);
    String hostname = hostname(request, pod.hostNetwork());
    try {
      Layout.makeDirectory(layout.pod(pod.id()));
      // The files are bind-mounted into containers of any user: readable, in a closed directory.
      Layout.makeDirectory(etc);
      Files.writeString(
          etc.resolve("resolv.conf"), PodFiles.resolvConf(dns, config.hostResolvConf()));
      Files.writeString(
          etc.resolve("hosts"),
          PodFiles.hosts(hostname.isEmpty() ? "localhost" : hostname, ips, config.hostHosts()));
      Files.writeString(
          etc.resolve("hostname"), hostname.isEmpty() ? "" : PodFiles.hostname(hostname));
      if (pod.hasUserNamespace()) {
        UserNamespaceMaps maps = PodNamespaces.maps(pod).orElseThrow();
        for (String name : List.of("resolv.conf", "hosts", "hostname")) {
          chown(etc.resolve(name), maps);
        }
      }
    } catch (IOException e) {
      throw new JrtException(ErrorKind.UNAVAILABLE, STEP, "cannot write below " + etc, e);
    }
  }

  private static void chown(Path file, UserNamespaceMaps maps) throws IOException {
    Files.setAttribute(file, "unix:uid", (int) maps.hostUid(0));
    Files.setAttribute(file, "unix:gid", (int) maps.hostGid(0));
  }

  static DnsConfig dns(PodConfig request) {
    return request
        .dns()
        .map(dns -> new DnsConfig(dns.servers(), dns.searches(), dns.options()))
        .orElse(DnsConfig.NONE);
  }

  /** Mounts the file system that the pod's containers share as {@code /dev/shm}. */
  void mountSharedMemory(Pod pod) {
    Path place = Layout.makeDirectory(layout.shm(pod.id()));
    Map<String, String> options = new HashMap<>();
    options.put("mode", "1777");
    options.put("size", Long.toString(config.shmBytes()));
    String label = pod.record().labels().mount();
    if (!label.isEmpty()) {
      options.put("context", label);
    }
    Optional<UserNamespaceMaps> maps = PodNamespaces.maps(pod);
    maps.ifPresent(
        map -> {
          options.put("uid", Long.toString(map.hostUid(0)));
          options.put("gid", Long.toString(map.hostGid(0)));
        });
    try (Fd mount =
        kernel
            .mounts()
            .tmpfs(
                options,
                MountFlags.MOUNT_ATTR_NOSUID
                    | MountFlags.MOUNT_ATTR_NODEV
                    | MountFlags.MOUNT_ATTR_NOEXEC)) {
      kernel.mounts().attach(mount, place);
    }
  }

  void unmountSharedMemory(String podId) {
    while (kernel.mounts().detach(layout.shm(podId))) {
      // A mount stacked on it by a crash between two tries is taken off as well.
    }
  }

  /** Mounts below a directory of this daemon, the deepest first. */
  static List<Path> mountsBelow(Kernel kernel, Path directory) {
    String prefix = directory + "/";
    return kernel.mounts().mountInfo().stream()
        .map(MountEntry::target)
        .filter(target -> target.startsWith(prefix))
        .sorted(Comparator.comparingInt(String::length).reversed())
        .map(Path::of)
        .toList();
  }

  /** Takes off whatever is mounted in the pod's directory, and removes it. */
  void remove(String podId) {
    Path directory = layout.pod(podId);
    if (!Files.exists(directory)) {
      return;
    }
    for (Path mount : mountsBelow(kernel, directory)) {
      kernel.mounts().detach(mount);
    }
    Layout.removeDirectory(directory);
  }
}
