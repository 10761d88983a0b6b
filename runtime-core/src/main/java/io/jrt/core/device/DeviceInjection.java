package io.jrt.core.device;

import io.jrt.security.DeviceNode;
import io.jrt.security.DeviceRule;
import java.util.List;
import java.util.Optional;

/**
 * Everything that the CDI devices of one container change in it, decided.
 *
 * @param environment {@code NAME=value} each, the last of a name counts
 * @param groups supplementary groups
 * @param rules what the device controller is to allow
 * @param links symbolic links
 * @param hooks to be run, in order
 * @param netDevices to be moved into the pod
 * @param intelRdt the class of cache and memory bandwidth it is put into
 * @param libraries that the loader in the container is to find
 */
public record DeviceInjection(
    List<String> environment,
    List<Long> groups,
    List<DeviceNode> nodes,
    List<DeviceRule> rules,
    List<CdiEdits.Mount> mounts,
    List<Link> links,
    List<OriginHook> hooks,
    List<Library> libraries,
    List<OriginNetDevice> netDevices,
    Optional<OriginRdt> intelRdt) {
  public static final DeviceInjection NONE =
      new DeviceInjection(
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          Optional.empty());

  public DeviceInjection {
    environment = List.copyOf(environment);
    groups = List.copyOf(groups);
    nodes = List.copyOf(nodes);
    rules = List.copyOf(rules);
    mounts = List.copyOf(mounts);
    links = List.copyOf(links);
    hooks = List.copyOf(hooks);
    libraries = List.copyOf(libraries);
    netDevices = List.copyOf(netDevices);
  }

  /** A symbolic link in the container. */
  public record Link(String path, String target) {}

  /** A hook, and the spec it is of. */
  public record OriginHook(CdiEdits.Hook hook, String origin) {}

  /** A network interface of the node, and the device and spec that ask for it. */
  public record OriginNetDevice(CdiEdits.NetDevice device, String origin) {}

  /** A class of cache and memory bandwidth, and the device and spec that ask for it. */
  public record OriginRdt(CdiEdits.IntelRdt rdt, String origin) {}

  /**
   * A library.
   *
   * @param name by which programs ask for it
   * @param path in the container
   * @param machine the ELF number of its processor
   */
  public record Library(String name, String path, int machine) {}
}
