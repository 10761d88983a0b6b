package io.jrt.server.cri;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerMetadata;
import io.jrt.core.ContainerSecurity;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStatus;
import io.jrt.core.ContainerSummary;
import io.jrt.core.DeviceConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.LinuxUser;
import io.jrt.cri.v1.CDIDevice;
import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.ContainerResources;
import io.jrt.cri.v1.ContainerStatsFilter;
import io.jrt.cri.v1.ContainerUser;
import io.jrt.cri.v1.Device;
import io.jrt.cri.v1.KeyValue;
import io.jrt.cri.v1.LinuxContainerUser;
import java.util.Optional;

/** CRI's containers as the runtime's records, and back. */
final class ContainerTranslation {
  private ContainerTranslation() {}

  static ContainerConfig config(io.jrt.cri.v1.ContainerConfig cri) {
    if (!cri.hasMetadata()) {
      throw Requests.invalid("config.metadata is missing");
    }
    Requests.required(cri.getImage().getImage(), "config.image.image");
    return new ContainerConfig(
        metadata(cri.getMetadata()),
        ImageTranslation.spec(cri.getImage()),
        // Protobuf checked that these are UTF-8: going back to bytes loses nothing.
        Bytes.listOf(cri.getCommandList()),
        Bytes.listOf(cri.getArgsList()),
        cri.getWorkingDir(),
        cri.getEnvsList().stream().map(ContainerTranslation::environment).toList(),
        cri.getMountsList().stream().map(MountTranslation::of).toList(),
        cri.getDevicesList().stream().map(ContainerTranslation::device).toList(),
        cri.getCDIDevicesList().stream().map(CDIDevice::getName).toList(),
        cri.getLabelsMap(),
        cri.getAnnotationsMap(),
        cri.getLogPath(),
        cri.getStdin(),
        cri.getStdinOnce(),
        cri.getTty(),
        ResourcesTranslation.of(cri.getLinux().hasResources(), cri.getLinux().getResources()),
        cri.getLinux().hasSecurityContext()
            ? SecurityTranslation.ofContainer(cri.getLinux().getSecurityContext())
            : ContainerSecurity.DEFAULT,
        SignalTranslation.of(cri.getStopSignal()));
  }

  private static ContainerMetadata metadata(io.jrt.cri.v1.ContainerMetadata cri) {
    return new ContainerMetadata(
        Requests.required(cri.getName(), "config.metadata.name"), cri.getAttempt());
  }

  static io.jrt.cri.v1.ContainerMetadata toCri(ContainerMetadata metadata) {
    return io.jrt.cri.v1.ContainerMetadata.newBuilder()
        .setName(metadata.name())
        .setAttempt(metadata.attempt())
        .build();
  }

  private static EnvVar environment(KeyValue cri) {
    return new EnvVar(cri.getKey(), Bytes.of(cri.getValue().toByteArray()));
  }

  private static DeviceConfig device(Device cri) {
    return new DeviceConfig(cri.getContainerPath(), cri.getHostPath(), cri.getPermissions());
  }

  static ContainerFilter filter(io.jrt.cri.v1.ContainerFilter cri) {
    return new ContainerFilter(
        cri.getId(),
        cri.getPodSandboxId(),
        cri.hasState() ? Optional.of(state(cri.getState().getState())) : Optional.empty(),
        cri.getLabelSelectorMap());
  }

  static ContainerFilter filter(ContainerStatsFilter cri) {
    return new ContainerFilter(
        cri.getId(),
        cri.getPodSandboxId(),
        Optional.of(ContainerFilter.StateName.RUNNING),
        cri.getLabelSelectorMap());
  }

  private static ContainerFilter.StateName state(io.jrt.cri.v1.ContainerState cri) {
    return switch (cri) {
      case CONTAINER_CREATED -> ContainerFilter.StateName.CREATED;
      case CONTAINER_RUNNING -> ContainerFilter.StateName.RUNNING;
      case CONTAINER_EXITED -> ContainerFilter.StateName.EXITED;
      case CONTAINER_UNKNOWN -> ContainerFilter.StateName.UNKNOWN;
      case UNRECOGNIZED -> throw Requests.invalid("a container state that jrt does not know");
    };
  }

  private static io.jrt.cri.v1.ContainerState toCri(ContainerState state) {
    return switch (ContainerFilter.StateName.of(state)) {
      case CREATED -> io.jrt.cri.v1.ContainerState.CONTAINER_CREATED;
      case RUNNING -> io.jrt.cri.v1.ContainerState.CONTAINER_RUNNING;
      case EXITED -> io.jrt.cri.v1.ContainerState.CONTAINER_EXITED;
      case UNKNOWN -> io.jrt.cri.v1.ContainerState.CONTAINER_UNKNOWN;
    };
  }

  static Container summary(ContainerSummary container) {
    return Container.newBuilder()
        .setId(container.id())
        .setPodSandboxId(container.podId())
        .setMetadata(toCri(container.metadata()))
        .setImage(ImageTranslation.toCri(container.image()))
        .setImageRef(container.imageRef())
        .setState(toCri(container.state()))
        .setCreatedAt(Times.nanos(container.createdAt()))
        .putAllLabels(container.labels())
        .putAllAnnotations(container.annotations())
        .setImageId(container.imageId())
        .build();
  }

  static io.jrt.cri.v1.ContainerStatus status(ContainerStatus container) {
    ContainerConfig config = container.config();
    io.jrt.cri.v1.ContainerStatus.Builder cri =
        io.jrt.cri.v1.ContainerStatus.newBuilder()
            .setId(container.id())
            .setMetadata(toCri(config.metadata()))
            .setState(toCri(container.state()))
            .setCreatedAt(Times.nanos(container.createdAt()))
            .setImage(ImageTranslation.written(config.image()))
            .setImageRef(container.imageRef())
            .putAllLabels(config.labels())
            .putAllAnnotations(config.annotations())
            .addAllMounts(config.mounts().stream().map(MountTranslation::toCri).toList())
            .setLogPath(container.logPath())
            .setResources(
                ContainerResources.newBuilder()
                    .setLinux(ResourcesTranslation.toCri(container.resources())))
            .setImageId(container.imageId())
            .setStopSignal(SignalTranslation.toCri(container.stopSignal()));
    container.user().ifPresent(user -> cri.setUser(user(user)));
    life(container.state(), cri);
    return cri.build();
  }

  private static ContainerUser user(LinuxUser user) {
    return ContainerUser.newBuilder()
        .setLinux(
            LinuxContainerUser.newBuilder()
                .setUid(user.uid())
                .setGid(user.gid())
                .addAllSupplementalGroups(user.supplementalGroups()))
        .build();
  }

  private static void life(ContainerState state, io.jrt.cri.v1.ContainerStatus.Builder cri) {
    switch (state) {
      case ContainerState.Created _ -> {}
      case ContainerState.Running(var startedAt, _) -> cri.setStartedAt(Times.nanos(startedAt));
      case ContainerState.Exited(var startedAt, var finishedAt, var cause) -> {
        startedAt.ifPresent(at -> cri.setStartedAt(Times.nanos(at)));
        cri.setFinishedAt(Times.nanos(finishedAt))
            .setExitCode(cause.code())
            .setReason(cause.reason())
            .setMessage(cause.message());
      }
      case ContainerState.Unknown(var startedAt, var why) -> {
        startedAt.ifPresent(at -> cri.setStartedAt(Times.nanos(at)));
        // The kubelet reads an exit code of a container that is not running; none is known.
        cri.setExitCode(255).setReason("Unknown").setMessage(why);
      }
    }
  }
}
