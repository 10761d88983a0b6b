package io.jrt.core.life;

import io.jrt.core.device.DeviceSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Settings of pods and containers.
 *
 * @param runtimeHandlers the handlers a pod may ask for; the empty name is always among them
 * @param clampUnpermitted whether what this daemon has not the privilege to set (a lower oom score,
 *     a higher limit) is clamped to what it may, and said; else such a start is refused
 * @param hostResolvConf the resolver configuration of pods that ask for nothing
 * @param hostHosts the node's hosts file
 * @param shmBytes size of a pod's shared memory file system
 * @param defaultSysctls set in pods with a network of their own, unless they ask otherwise
 * @param outputPatience how long the last output of an ended container is waited for
 * @param killPatience how long processes may take to die of SIGKILL
 * @param writableLayerBytes what a container may write into its root when its pod asks for nothing;
 *     0 for no limit
 * @param requireWritableLayerLimit whether a container is refused whose writable layer cannot be
 *     limited as asked; else it runs without, which is said once
 * @param explainSeccomp whether calls that a filter denies are told of every container, not only of
 *     pods that ask for it
 * @param devices where devices are found and who may have them
 */
public record CoreConfig(
    List<String> runtimeHandlers,
    boolean clampUnpermitted,
    Path hostResolvConf,
    Path hostHosts,
    long shmBytes,
    Map<String, String> defaultSysctls,
    Duration outputPatience,
    Duration killPatience,
    long writableLayerBytes,
    boolean requireWritableLayerLimit,
    boolean explainSeccomp,
    DeviceSettings devices) {

  public static final CoreConfig DEFAULT =
      new CoreConfig(
          List.of("", "jrt"),
          true,
          Path.of("/etc/resolv.conf"),
          Path.of("/etc/hosts"),
          64L << 20,
          Map.of(
              "net.ipv4.ip_unprivileged_port_start",
              "0",
              "net.ipv4.ping_group_range",
              "0 2147483647"),
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          0,
          true,
          false,
          DeviceSettings.DEFAULT);

  public CoreConfig {
    runtimeHandlers = List.copyOf(runtimeHandlers);
    defaultSysctls = Map.copyOf(defaultSysctls);
  }

  /** The same with other settings of devices. */
  public CoreConfig withDevices(DeviceSettings other) {
    return new CoreConfig(
        runtimeHandlers,
        clampUnpermitted,
        hostResolvConf,
        hostHosts,
        shmBytes,
        defaultSysctls,
        outputPatience,
        killPatience,
        writableLayerBytes,
        requireWritableLayerLimit,
        explainSeccomp,
        other);
  }

  /** The same with another limit of writable layers. */
  public CoreConfig withWritableLayerLimit(long bytes, boolean require) {
    return new CoreConfig(
        runtimeHandlers,
        clampUnpermitted,
        hostResolvConf,
        hostHosts,
        shmBytes,
        defaultSysctls,
        outputPatience,
        killPatience,
        bytes,
        require,
        explainSeccomp,
        devices);
  }
}
