package io.jrt.core;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that is asked of a container.
 *
 * @param command replaces the image's ENTRYPOINT when not empty
 * @param args replaces the image's CMD when not empty
 * @param logPath relative to the pod's log directory, or empty for no log
 * @param stopSignal a name such as {@code SIGTERM} or {@code SIGRTMIN+3}; empty for the image's or
 *     the default
 */
public record ContainerConfig(
    ContainerMetadata metadata,
    ImageSpec image,
    List<Bytes> command,
    List<Bytes> args,
    String workingDirectory,
    List<EnvVar> environment,
    List<MountConfig> mounts,
    List<DeviceConfig> devices,
    List<String> cdiDevices,
    Map<String, String> labels,
    Map<String, String> annotations,
    String logPath,
    boolean stdin,
    boolean stdinOnce,
    boolean tty,
    Optional<LinuxResources> resources,
    ContainerSecurity security,
    String stopSignal) {
  public ContainerConfig {
    command = List.copyOf(command);
    args = List.copyOf(args);
    environment = List.copyOf(environment);
    mounts = List.copyOf(mounts);
    devices = List.copyOf(devices);
    cdiDevices = List.copyOf(cdiDevices);
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
  }

  /** The same with other mounts. */
  public ContainerConfig withMounts(List<MountConfig> others) {
    return adjusted(others, devices, annotations);
  }

  /** The same with what plugins may change: other mounts, devices and annotations. */
  public ContainerConfig adjusted(
      List<MountConfig> otherMounts,
      List<DeviceConfig> otherDevices,
      Map<String, String> otherAnnotations) {
    return new ContainerConfig(
        metadata,
        image,
        command,
        args,
        workingDirectory,
        environment,
        otherMounts,
        otherDevices,
        cdiDevices,
        labels,
        otherAnnotations,
        logPath,
        stdin,
        stdinOnce,
        tty,
        resources,
        security,
        stopSignal);
  }

  /** A container of an image with a command and nothing else asked for. */
  public static ContainerConfig of(String name, String image, List<String> command) {
    return new ContainerConfig(
        new ContainerMetadata(name, 0),
        ImageSpec.of(image),
        Bytes.listOf(command),
        List.of(),
        "",
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        Map.of(),
        Map.of(),
        "",
        false,
        false,
        false,
        Optional.empty(),
        ContainerSecurity.DEFAULT,
        "");
  }
}
