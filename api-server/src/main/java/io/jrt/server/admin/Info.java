package io.jrt.server.admin;

import io.jrt.admin.v1.Condition;
import io.jrt.admin.v1.InfoRequest;
import io.jrt.admin.v1.InfoResponse;
import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerSummary;
import io.jrt.core.PodFilter;
import io.jrt.core.RuntimeCondition;
import io.jrt.core.RuntimeInfo;
import io.jrt.server.config.Configuration;
import io.jrt.server.config.DaemonConfig;
import io.jrt.server.image.Images;
import java.time.Instant;
import java.util.List;

/** The daemon and what it can do on this machine. */
final class Info {
  private final String version;
  private final ContainerRuntime runtime;
  private final Images images;
  private final Configuration configuration;
  private final String streamingCertificates;
  private final Instant startedAt = Instant.now();

  Info(
      String version,
      ContainerRuntime runtime,
      Images images,
      Configuration configuration,
      String streamingCertificates) {
    this.version = version;
    this.runtime = runtime;
    this.images = images;
    this.configuration = configuration;
    this.streamingCertificates = streamingCertificates;
  }

  InfoResponse handle(InfoRequest request) {
    RuntimeInfo info = runtime.info();
    DaemonConfig daemon = configuration.current().daemon();
    List<ContainerSummary> containers = runtime.containers(ContainerFilter.ALL);
    long running =
        containers.stream()
            .filter(container -> container.state() instanceof ContainerState.Running)
            .count();
    return InfoResponse.newBuilder()
        .setVersion(version)
        .setPid((int) ProcessHandle.current().pid())
        .setStartedAt(Times.nanos(startedAt))
        .setRoot(daemon.root().toString())
        .setState(daemon.state().toString())
        .setSocket(daemon.socket().toString())
        .setConfigFile(configuration.file().toString())
        .setCgroupDriver(info.cgroupDriver())
        .setCgroupVersion(info.cgroupVersion())
        .setKernel(System.getProperty("os.version"))
        .setArchitecture(System.getProperty("os.arch"))
        .addAllRuntimeHandlers(info.runtimeHandlers())
        .addAllConditions(runtime.conditions().stream().map(Info::condition).toList())
        .addAllLimitations(info.limitations())
        .addAllRecovered(info.recovered())
        .setPods(runtime.pods(PodFilter.ALL).size())
        .setContainers(containers.size())
        .setContainersRunning((int) running)
        .setImages(images.list("").size())
        .setStreamingCertificates(streamingCertificates)
        .build();
  }

  private static Condition condition(RuntimeCondition condition) {
    return Condition.newBuilder()
        .setType(condition.type())
        .setStatus(condition.status())
        .setReason(condition.reason())
        .setMessage(condition.message())
        .build();
  }
}
