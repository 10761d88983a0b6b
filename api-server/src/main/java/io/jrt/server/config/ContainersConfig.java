package io.jrt.server.config;

import io.jrt.core.life.CoreConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** How pods and containers are run. */
public record ContainersConfig(
    @Doc("Runtime handlers that a RuntimeClass may name; the empty one is always there.")
        List<String> runtimeHandlers,
    @Doc(
            "Who makes cgroups: cgroupfs (jrt by itself), systemd (as units, cgroup v2 only), or"
                + " auto, which is systemd where it runs and cgroups are v2. The kubelet is told.")
        Driver cgroupDriver,
    @Doc(
            "Whether what the daemon lacks the privilege for (a lower oom score, a higher limit) is"
                + " set as far as it goes; else such a container is refused.")
        boolean clampUnpermitted,
    @Doc("The resolver configuration of pods that ask for none.") Path hostResolvConf,
    @Doc("The hosts file that pods with the host's network get.") Path hostHosts,
    @Doc("The size of a pod's /dev/shm.") ByteSize shmSize,
    @Doc("Sysctls of every pod with a network of its own, unless it asks otherwise.")
        Map<String, String> sysctls,
    @Doc("How long the last output of an ended container is waited for.") Duration outputPatience,
    @Doc("How long processes may take to die of SIGKILL.") Duration killPatience,
    @Doc(
            "What a container may write into its root file system when its pod has no annotation"
                + " jrt.io/writable-layer-limit; 0 for no limit. It takes a file system with"
                + " project quota (ext4 or xfs mounted with prjquota).")
        ByteSize writableLayerLimit,
    @Doc(
            "Whether a container is refused whose writable layer cannot be limited as asked; else"
                + " it runs without a limit, and that is said once.")
        boolean requireWritableLayerLimit,
    @Doc(
            "Whether the kernel's log is read for system calls that a seccomp filter denied, to"
                + " tell them in jrt why and jrt events; else only of pods with the annotation"
                + " jrt.io/explain-seccomp: \"true\".")
        boolean explainSeccomp) {

  public static final ContainersConfig DEFAULT =
      new ContainersConfig(
          List.of("jrt"),
          Driver.AUTO,
          true,
          Path.of("/etc/resolv.conf"),
          Path.of("/etc/hosts"),
          ByteSize.ofMebibytes(64),
          Map.of(
              "net.ipv4.ip_unprivileged_port_start", "0",
              "net.ipv4.ping_group_range", "0 2147483647"),
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          new ByteSize(0),
          true,
          false);

  /** Who makes cgroups. */
  public enum Driver {
    /** Chosen by what runs on the machine. */
    AUTO,
    /** Plain directories. */
    CGROUPFS,
    /** Slices and scopes. */
    SYSTEMD
  }

  public ContainersConfig {
    runtimeHandlers = List.copyOf(runtimeHandlers);
    sysctls = Map.copyOf(sysctls);
  }

  /** As the runtime takes it. */
  public CoreConfig toCore(DevicesConfig devices) {
    return new CoreConfig(
        Stream.concat(Stream.of(""), runtimeHandlers.stream()).distinct().toList(),
        clampUnpermitted,
        hostResolvConf,
        hostHosts,
        shmSize.bytes(),
        sysctls,
        outputPatience,
        killPatience,
        writableLayerLimit.bytes(),
        requireWritableLayerLimit,
        explainSeccomp,
        devices.toCore());
  }
}
