package io.jrt.server.nri;

import io.jrt.core.ContainerState;
import io.jrt.core.EnvVar;
import io.jrt.core.LinuxResources;
import io.jrt.core.MountConfig;
import io.jrt.core.MountPropagation;
import io.jrt.core.device.CdiEdits;
import io.jrt.core.device.PluginEdits;
import io.jrt.core.launch.Rlimit;
import io.jrt.core.plugin.PluginContainer;
import io.jrt.core.plugin.PluginPod;
import io.jrt.nri.v1alpha1.CDIDevice;
import io.jrt.nri.v1alpha1.Container;
import io.jrt.nri.v1alpha1.Hook;
import io.jrt.nri.v1alpha1.Hooks;
import io.jrt.nri.v1alpha1.Image;
import io.jrt.nri.v1alpha1.LinuxContainer;
import io.jrt.nri.v1alpha1.LinuxDevice;
import io.jrt.nri.v1alpha1.LinuxNamespace;
import io.jrt.nri.v1alpha1.LinuxPodSandbox;
import io.jrt.nri.v1alpha1.Mount;
import io.jrt.nri.v1alpha1.OptionalFileMode;
import io.jrt.nri.v1alpha1.OptionalInt;
import io.jrt.nri.v1alpha1.OptionalUInt32;
import io.jrt.nri.v1alpha1.POSIXRlimit;
import io.jrt.nri.v1alpha1.PodSandbox;
import io.jrt.nri.v1alpha1.User;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Pods and containers in the words of NRI. */
final class Views {
  private Views() {}

  static PodSandbox pod(PluginPod pod) {
    var config = pod.config();
    LinuxPodSandbox.Builder linux =
        LinuxPodSandbox.newBuilder()
            .setCgroupParent(config.cgroupParent())
            .setCgroupsPath(pod.cgroup())
            .setPodOverhead(Resources.told(config.overhead().orElse(LinuxResources.NONE)))
            .setPodResources(Resources.told(config.resources().orElse(LinuxResources.NONE)));
    pod.namespaces()
        .forEach(
            (type, path) ->
                linux.addNamespaces(
                    LinuxNamespace.newBuilder().setType(type).setPath(path.toString())));
    return PodSandbox.newBuilder()
        .setId(pod.id())
        .setName(config.metadata().name())
        .setUid(config.metadata().uid())
        .setNamespace(config.metadata().namespace())
        .putAllLabels(config.labels())
        .putAllAnnotations(config.annotations())
        .setRuntimeHandler(pod.runtimeHandler())
        .setLinux(linux)
        .addAllIps(pod.ips())
        .build();
  }

  static Container container(PluginContainer container) {
    var config = container.config();
    Container.Builder told =
        Container.newBuilder()
            .setId(container.id())
            .setPodSandboxId(container.podId())
            .setName(config.metadata().name())
            .putAllLabels(config.labels())
            .putAllAnnotations(config.annotations())
            .setCreatedAt(nanos(container.createdAt()))
            .setImage(
                Image.newBuilder()
                    .setName(config.image().image())
                    .setDigest(container.imageRef())
                    .setConfigDigest(container.imageId()));
    container.process().args().forEach(arg -> told.addArgs(arg.text()));
    for (EnvVar variable : container.process().environment()) {
      told.addEnv(variable.name() + "=" + variable.value().text());
    }
    config.mounts().forEach(mount -> told.addMounts(mount(mount)));
    container
        .cdiDevices()
        .forEach(name -> told.addCDIDevices(CDIDevice.newBuilder().setName(name)));
    for (Rlimit limit : container.rlimits()) {
      told.addRlimits(
          POSIXRlimit.newBuilder()
              .setType(Rlimits.name(limit.resource()))
              .setSoft(limit.soft())
              .setHard(limit.hard()));
    }
    var ids = container.user().ids();
    User.Builder user = User.newBuilder().setUid((int) ids.uid()).setGid((int) ids.gid());
    ids.supplementalGroups().forEach(group -> user.addAdditionalGids(group.intValue()));
    told.setUser(user);
    LinuxContainer.Builder linux =
        LinuxContainer.newBuilder()
            .setResources(Resources.told(container.resources()))
            .setOomScoreAdj(OptionalInt.newBuilder().setValue(container.resources().oomScoreAdj()))
            .setCgroupsPath(container.cgroup());
    for (PluginEdits each : container.edits()) {
      each.edits().nodes().forEach(node -> linux.addDevices(device(node)));
      each.edits().mounts().forEach(mount -> told.addMounts(mount(mount)));
    }
    told.setHooks(hooks(container.edits()));
    told.setLinux(linux);
    state(told, container.state());
    return told.build();
  }

  private static void state(Container.Builder told, ContainerState state) {
    switch (state) {
      case ContainerState.Created _ ->
          told.setState(io.jrt.nri.v1alpha1.ContainerState.CONTAINER_CREATED);
      case ContainerState.Running(var startedAt, var pid) ->
          told.setState(io.jrt.nri.v1alpha1.ContainerState.CONTAINER_RUNNING)
              .setPid(pid)
              .setStartedAt(nanos(startedAt));
      case ContainerState.Exited(var startedAt, var finishedAt, var cause) ->
          told.setState(io.jrt.nri.v1alpha1.ContainerState.CONTAINER_STOPPED)
              .setStartedAt(startedAt.map(Views::nanos).orElse(0L))
              .setFinishedAt(nanos(finishedAt))
              .setExitCode(cause.code())
              .setStatusReason(cause.reason())
              .setStatusMessage(cause.message());
      case ContainerState.Unknown(var startedAt, var why) ->
          told.setState(io.jrt.nri.v1alpha1.ContainerState.CONTAINER_UNKNOWN)
              .setStartedAt(startedAt.map(Views::nanos).orElse(0L))
              .setStatusMessage(why);
    }
  }

  private static long nanos(Instant time) {
    return TimeUnit.SECONDS.toNanos(time.getEpochSecond()) + time.getNano();
  }

  private static Mount mount(MountConfig mount) {
    List<String> options = new ArrayList<>(mount.options());
    options.add("rbind");
    options.add(
        mount.propagation() == MountPropagation.BIDIRECTIONAL
            ? "rshared"
            : mount.propagation() == MountPropagation.HOST_TO_CONTAINER ? "rslave" : "rprivate");
    options.add(mount.readonly() ? "ro" : "rw");
    return Mount.newBuilder()
        .setDestination(mount.containerPath())
        .setType("bind")
        .setSource(mount.hostPath())
        .addAllOptions(options)
        .build();
  }

  private static Mount mount(CdiEdits.Mount mount) {
    return Mount.newBuilder()
        .setDestination(mount.containerPath())
        .setType(mount.type())
        .setSource(mount.hostPath())
        .addAllOptions(mount.options())
        .build();
  }

  private static LinuxDevice device(CdiEdits.Node node) {
    LinuxDevice.Builder told =
        LinuxDevice.newBuilder()
            .setPath(node.path())
            .setType(node.type())
            .setMajor(node.major().orElse(0L))
            .setMinor(node.minor().orElse(0L));
    node.mode().ifPresent(mode -> told.setFileMode(OptionalFileMode.newBuilder().setValue(mode)));
    node.uid().ifPresent(uid -> told.setUid(id(uid)));
    node.gid().ifPresent(gid -> told.setGid(id(gid)));
    return told.build();
  }

  private static OptionalUInt32 id(long value) {
    return OptionalUInt32.newBuilder().setValue((int) value).build();
  }

  private static Hooks hooks(List<PluginEdits> edits) {
    Hooks.Builder told = Hooks.newBuilder();
    for (PluginEdits each : edits) {
      for (CdiEdits.Hook hook : each.edits().hooks()) {
        Hook.Builder one =
            Hook.newBuilder()
                .setPath(hook.path())
                .addAllArgs(hook.args())
                .addAllEnv(hook.environment());
        hook.seconds()
            .ifPresent(
                seconds -> one.setTimeout(OptionalInt.newBuilder().setValue(seconds.longValue())));
        switch (hook.moment()) {
          case PRESTART -> told.addPrestart(one);
          case CREATE_RUNTIME -> told.addCreateRuntime(one);
          case CREATE_CONTAINER -> told.addCreateContainer(one);
          case START_CONTAINER -> told.addStartContainer(one);
          case POSTSTART -> told.addPoststart(one);
          case POSTSTOP -> told.addPoststop(one);
        }
      }
    }
    return told.build();
  }
}
