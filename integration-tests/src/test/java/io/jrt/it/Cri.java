package io.jrt.it;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.jrt.admin.v1.AdminGrpc;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerMetadata;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ContainerStatusRequest;
import io.jrt.cri.v1.CreateContainerRequest;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.ImageServiceGrpc;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.LinuxPodSandboxConfig;
import io.jrt.cri.v1.LinuxSandboxSecurityContext;
import io.jrt.cri.v1.ListPodSandboxRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.NamespaceOption;
import io.jrt.cri.v1.PodSandbox;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxMetadata;
import io.jrt.cri.v1.PullImageRequest;
import io.jrt.cri.v1.RemovePodSandboxRequest;
import io.jrt.cri.v1.RunPodSandboxRequest;
import io.jrt.cri.v1.RuntimeServiceGrpc;
import io.jrt.cri.v1.StartContainerRequest;
import io.jrt.cri.v1.StopContainerRequest;
import io.jrt.cri.v1.StopPodSandboxRequest;
import io.jrt.cri.v1.VersionRequest;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A CRI client, as the kubelet is one, with the few shapes of request that tests need. */
final class Cri implements AutoCloseable {
  /** For all clients and never ended: a call on a client that was closed is UNAVAILABLE then. */
  private static final MultiThreadIoEventLoopGroup LOOPS =
      new MultiThreadIoEventLoopGroup(
          2, new DefaultThreadFactory("cri", true), EpollIoHandler.newFactory());

  private final ManagedChannel channel;

  Cri(Path socket) {
    channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollDomainSocketChannel.class)
            .eventLoopGroup(LOOPS)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .overrideAuthority("localhost")
            .maxInboundMessageSize(64 << 20)
            .usePlaintext()
            .build();
  }

  RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime() {
    return RuntimeServiceGrpc.newBlockingStub(channel).withDeadlineAfter(2, TimeUnit.MINUTES);
  }

  ImageServiceGrpc.ImageServiceBlockingStub images() {
    return ImageServiceGrpc.newBlockingStub(channel).withDeadlineAfter(5, TimeUnit.MINUTES);
  }

  AdminGrpc.AdminBlockingStub admin() {
    return AdminGrpc.newBlockingStub(channel).withDeadlineAfter(2, TimeUnit.MINUTES);
  }

  /** A call whose messages are asked for one by one. */
  <Q, A> ClientCall<Q, A> call(MethodDescriptor<Q, A> method) {
    return channel.newCall(method, CallOptions.DEFAULT);
  }

  boolean answers() {
    try {
      RuntimeServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(5, TimeUnit.SECONDS)
          .version(VersionRequest.newBuilder().setVersion("0.1.0").build());
      return true;
    } catch (StatusRuntimeException e) {
      return false; // not ready
    }
  }

  /** A pod with a network of its own, or the machine's. */
  static PodSandboxConfig.Builder pod(String name, NamespaceMode network, Path logs) {
    return PodSandboxConfig.newBuilder()
        .setMetadata(
            PodSandboxMetadata.newBuilder()
                .setName(name)
                .setNamespace("it")
                .setUid(UUID.randomUUID().toString()))
        .setHostname(network == NamespaceMode.POD ? name : "")
        .setLogDirectory(logs.resolve(name).toString())
        .setLinux(
            LinuxPodSandboxConfig.newBuilder()
                .setSecurityContext(
                    LinuxSandboxSecurityContext.newBuilder()
                        .setNamespaceOptions(
                            NamespaceOption.newBuilder()
                                .setNetwork(network)
                                .setPid(NamespaceMode.CONTAINER))));
  }

  static ContainerConfig.Builder container(String name, String image, String... command) {
    return ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName(name))
        .setImage(ImageSpec.newBuilder().setImage(image))
        .addAllCommand(List.of(command))
        .setLogPath(name + ".log");
  }

  String runPod(PodSandboxConfig config) {
    return runtime()
        .runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).build())
        .getPodSandboxId();
  }

  String create(String pod, PodSandboxConfig podConfig, ContainerConfig config) {
    return runtime()
        .createContainer(
            CreateContainerRequest.newBuilder()
                .setPodSandboxId(pod)
                .setConfig(config)
                .setSandboxConfig(podConfig)
                .build())
        .getContainerId();
  }

  void start(String container) {
    runtime().startContainer(StartContainerRequest.newBuilder().setContainerId(container).build());
  }

  /** Makes and starts; the id. */
  String run(String pod, PodSandboxConfig podConfig, ContainerConfig config) {
    String id = create(pod, podConfig, config);
    start(id);
    return id;
  }

  void stop(String container, long seconds) {
    runtime()
        .stopContainer(
            StopContainerRequest.newBuilder()
                .setContainerId(container)
                .setTimeout(seconds)
                .build());
  }

  ContainerStatus status(String container) {
    return runtime()
        .containerStatus(ContainerStatusRequest.newBuilder().setContainerId(container).build())
        .getStatus();
  }

  /** Waits until the container has ended. */
  ContainerStatus awaitExit(String container) {
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    ContainerStatus status = status(container);
    while (status.getState() != ContainerState.CONTAINER_EXITED) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("container " + container + " does not end: " + status);
      }
      Daemon.sleep(20);
      status = status(container);
    }
    return status;
  }

  ExecSyncResponse exec(String container, String... command) {
    return runtime()
        .execSync(
            ExecSyncRequest.newBuilder()
                .setContainerId(container)
                .addAllCmd(List.of(command))
                .setTimeout(30)
                .build());
  }

  String pull(String reference) {
    return images()
        .pullImage(
            PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(reference))
                .build())
        .getImageRef();
  }

  void removePod(String pod) {
    runtime().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod).build());
    runtime().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod).build());
  }

  void removeEverything() {
    for (PodSandbox pod :
        runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList()) {
      removePod(pod.getId());
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
