package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.AttachRequest;
import io.jrt.cri.v1.AttachResponse;
import io.jrt.cri.v1.ContainerEventResponse;
import io.jrt.cri.v1.ContainerStatsRequest;
import io.jrt.cri.v1.ContainerStatsResponse;
import io.jrt.cri.v1.ContainerStatusRequest;
import io.jrt.cri.v1.ContainerStatusResponse;
import io.jrt.cri.v1.CreateContainerRequest;
import io.jrt.cri.v1.CreateContainerResponse;
import io.jrt.cri.v1.ExecRequest;
import io.jrt.cri.v1.ExecResponse;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.GetEventsRequest;
import io.jrt.cri.v1.ListContainerStatsRequest;
import io.jrt.cri.v1.ListContainerStatsResponse;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.ListContainersResponse;
import io.jrt.cri.v1.ListMetricDescriptorsRequest;
import io.jrt.cri.v1.ListMetricDescriptorsResponse;
import io.jrt.cri.v1.ListPodSandboxMetricsRequest;
import io.jrt.cri.v1.ListPodSandboxMetricsResponse;
import io.jrt.cri.v1.ListPodSandboxRequest;
import io.jrt.cri.v1.ListPodSandboxResponse;
import io.jrt.cri.v1.ListPodSandboxStatsRequest;
import io.jrt.cri.v1.ListPodSandboxStatsResponse;
import io.jrt.cri.v1.PodSandboxStatsRequest;
import io.jrt.cri.v1.PodSandboxStatsResponse;
import io.jrt.cri.v1.PodSandboxStatusRequest;
import io.jrt.cri.v1.PodSandboxStatusResponse;
import io.jrt.cri.v1.PortForwardRequest;
import io.jrt.cri.v1.PortForwardResponse;
import io.jrt.cri.v1.RemoveContainerRequest;
import io.jrt.cri.v1.RemoveContainerResponse;
import io.jrt.cri.v1.RemovePodSandboxRequest;
import io.jrt.cri.v1.RemovePodSandboxResponse;
import io.jrt.cri.v1.ReopenContainerLogRequest;
import io.jrt.cri.v1.ReopenContainerLogResponse;
import io.jrt.cri.v1.RunPodSandboxRequest;
import io.jrt.cri.v1.RunPodSandboxResponse;
import io.jrt.cri.v1.RuntimeConfigRequest;
import io.jrt.cri.v1.RuntimeConfigResponse;
import io.jrt.cri.v1.RuntimeServiceGrpc;
import io.jrt.cri.v1.StartContainerRequest;
import io.jrt.cri.v1.StartContainerResponse;
import io.jrt.cri.v1.StatusRequest;
import io.jrt.cri.v1.StatusResponse;
import io.jrt.cri.v1.StopContainerRequest;
import io.jrt.cri.v1.StopContainerResponse;
import io.jrt.cri.v1.StopPodSandboxRequest;
import io.jrt.cri.v1.StopPodSandboxResponse;
import io.jrt.cri.v1.StreamContainerStatsRequest;
import io.jrt.cri.v1.StreamContainerStatsResponse;
import io.jrt.cri.v1.StreamContainersRequest;
import io.jrt.cri.v1.StreamContainersResponse;
import io.jrt.cri.v1.StreamPodSandboxMetricsRequest;
import io.jrt.cri.v1.StreamPodSandboxMetricsResponse;
import io.jrt.cri.v1.StreamPodSandboxStatsRequest;
import io.jrt.cri.v1.StreamPodSandboxStatsResponse;
import io.jrt.cri.v1.StreamPodSandboxesRequest;
import io.jrt.cri.v1.StreamPodSandboxesResponse;
import io.jrt.cri.v1.UpdateContainerResourcesRequest;
import io.jrt.cri.v1.UpdateContainerResourcesResponse;
import io.jrt.cri.v1.UpdatePodSandboxResourcesRequest;
import io.jrt.cri.v1.UpdatePodSandboxResourcesResponse;
import io.jrt.cri.v1.UpdateRuntimeConfigRequest;
import io.jrt.cri.v1.UpdateRuntimeConfigResponse;
import io.jrt.cri.v1.VersionRequest;
import io.jrt.cri.v1.VersionResponse;
import io.jrt.server.rpc.Answers;
import io.jrt.server.streaming.StreamingServer;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The switchboard of CRI's RuntimeService: each call goes to the class of its name.
 *
 * <p>CheckpointContainer, CheckpointPod and RestorePod have none: gRPC answers them with
 * UNIMPLEMENTED and their name.
 */
public final class RuntimeServiceSwitchboard extends RuntimeServiceGrpc.RuntimeServiceImplBase {
  private final Version version;
  private final RunPodSandbox runPodSandbox;
  private final StopPodSandbox stopPodSandbox;
  private final RemovePodSandbox removePodSandbox;
  private final PodSandboxStatus podSandboxStatus;
  private final ListPodSandbox listPodSandbox;
  private final StreamPodSandboxes streamPodSandboxes;
  private final CreateContainer createContainer;
  private final StartContainer startContainer;
  private final StopContainer stopContainer;
  private final RemoveContainer removeContainer;
  private final ListContainers listContainers;
  private final StreamContainers streamContainers;
  private final ContainerStatus containerStatus;
  private final UpdateContainerResources updateContainerResources;
  private final ReopenContainerLog reopenContainerLog;
  private final ExecSync execSync;
  private final Exec exec;
  private final Attach attach;
  private final PortForward portForward;
  private final ContainerStats containerStats;
  private final ListContainerStats listContainerStats;
  private final StreamContainerStats streamContainerStats;
  private final PodSandboxStats podSandboxStats;
  private final ListPodSandboxStats listPodSandboxStats;
  private final StreamPodSandboxStats streamPodSandboxStats;
  private final UpdateRuntimeConfig updateRuntimeConfig;
  private final Status status;
  private final GetContainerEvents getContainerEvents;
  private final ListMetricDescriptors listMetricDescriptors = new ListMetricDescriptors();
  private final ListPodSandboxMetrics listPodSandboxMetrics;
  private final StreamPodSandboxMetrics streamPodSandboxMetrics;
  private final RuntimeConfig runtimeConfig;
  private final UpdatePodSandboxResources updatePodSandboxResources;

  public RuntimeServiceSwitchboard(
      String version,
      ContainerRuntime runtime,
      StreamingServer streaming,
      Supplier<Map<String, String>> details) {
    this.version = new Version(version);
    this.runPodSandbox = new RunPodSandbox(runtime);
    this.stopPodSandbox = new StopPodSandbox(runtime);
    this.removePodSandbox = new RemovePodSandbox(runtime);
    this.podSandboxStatus = new PodSandboxStatus(runtime);
    this.listPodSandbox = new ListPodSandbox(runtime);
    this.streamPodSandboxes = new StreamPodSandboxes(runtime);
    this.createContainer = new CreateContainer(runtime);
    this.startContainer = new StartContainer(runtime);
    this.stopContainer = new StopContainer(runtime);
    this.removeContainer = new RemoveContainer(runtime);
    this.listContainers = new ListContainers(runtime);
    this.streamContainers = new StreamContainers(runtime);
    this.containerStatus = new ContainerStatus(runtime);
    this.updateContainerResources = new UpdateContainerResources(runtime);
    this.reopenContainerLog = new ReopenContainerLog(runtime);
    this.execSync = new ExecSync(runtime);
    this.exec = new Exec(runtime, streaming);
    this.attach = new Attach(runtime, streaming);
    this.portForward = new PortForward(runtime, streaming);
    this.containerStats = new ContainerStats(runtime);
    this.listContainerStats = new ListContainerStats(runtime);
    this.streamContainerStats = new StreamContainerStats(runtime);
    this.podSandboxStats = new PodSandboxStats(runtime);
    this.listPodSandboxStats = new ListPodSandboxStats(runtime);
    this.streamPodSandboxStats = new StreamPodSandboxStats(runtime);
    this.updateRuntimeConfig = new UpdateRuntimeConfig(runtime);
    this.status = new Status(runtime, details);
    this.getContainerEvents = new GetContainerEvents(runtime);
    this.listPodSandboxMetrics = new ListPodSandboxMetrics(runtime);
    this.streamPodSandboxMetrics = new StreamPodSandboxMetrics(runtime);
    this.runtimeConfig = new RuntimeConfig(runtime);
    this.updatePodSandboxResources = new UpdatePodSandboxResources(runtime);
  }

  @Override
  public void version(VersionRequest request, StreamObserver<VersionResponse> client) {
    Answers.one(client, version.handle(request));
  }

  @Override
  public void runPodSandbox(
      RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> client) {
    Answers.one(client, runPodSandbox.handle(request, Answers.deadline()));
  }

  @Override
  public void stopPodSandbox(
      StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> client) {
    Answers.one(client, stopPodSandbox.handle(request, Answers.deadline()));
  }

  @Override
  public void removePodSandbox(
      RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> client) {
    Answers.one(client, removePodSandbox.handle(request, Answers.deadline()));
  }

  @Override
  public void podSandboxStatus(
      PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> client) {
    Answers.one(client, podSandboxStatus.handle(request));
  }

  @Override
  public void listPodSandbox(
      ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> client) {
    Answers.one(client, listPodSandbox.handle(request));
  }

  @Override
  public void streamPodSandboxes(
      StreamPodSandboxesRequest request, StreamObserver<StreamPodSandboxesResponse> client) {
    streamPodSandboxes.handle(request, client);
  }

  @Override
  public void createContainer(
      CreateContainerRequest request, StreamObserver<CreateContainerResponse> client) {
    Answers.one(client, createContainer.handle(request, Answers.deadline()));
  }

  @Override
  public void startContainer(
      StartContainerRequest request, StreamObserver<StartContainerResponse> client) {
    Answers.one(client, startContainer.handle(request, Answers.deadline()));
  }

  @Override
  public void stopContainer(
      StopContainerRequest request, StreamObserver<StopContainerResponse> client) {
    Answers.one(client, stopContainer.handle(request, Answers.deadline()));
  }

  @Override
  public void removeContainer(
      RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> client) {
    Answers.one(client, removeContainer.handle(request, Answers.deadline()));
  }

  @Override
  public void listContainers(
      ListContainersRequest request, StreamObserver<ListContainersResponse> client) {
    Answers.one(client, listContainers.handle(request));
  }

  @Override
  public void streamContainers(
      StreamContainersRequest request, StreamObserver<StreamContainersResponse> client) {
    streamContainers.handle(request, client);
  }

  @Override
  public void containerStatus(
      ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> client) {
    Answers.one(client, containerStatus.handle(request));
  }

  @Override
  public void updateContainerResources(
      UpdateContainerResourcesRequest request,
      StreamObserver<UpdateContainerResourcesResponse> client) {
    Answers.one(client, updateContainerResources.handle(request));
  }

  @Override
  public void reopenContainerLog(
      ReopenContainerLogRequest request, StreamObserver<ReopenContainerLogResponse> client) {
    Answers.one(client, reopenContainerLog.handle(request));
  }

  @Override
  public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> client) {
    execSync.handle(request, client);
  }

  @Override
  public void exec(ExecRequest request, StreamObserver<ExecResponse> client) {
    Answers.one(client, exec.handle(request));
  }

  @Override
  public void attach(AttachRequest request, StreamObserver<AttachResponse> client) {
    Answers.one(client, attach.handle(request));
  }

  @Override
  public void portForward(PortForwardRequest request, StreamObserver<PortForwardResponse> client) {
    Answers.one(client, portForward.handle(request));
  }

  @Override
  public void containerStats(
      ContainerStatsRequest request, StreamObserver<ContainerStatsResponse> client) {
    Answers.one(client, containerStats.handle(request));
  }

  @Override
  public void listContainerStats(
      ListContainerStatsRequest request, StreamObserver<ListContainerStatsResponse> client) {
    Answers.one(client, listContainerStats.handle(request));
  }

  @Override
  public void streamContainerStats(
      StreamContainerStatsRequest request, StreamObserver<StreamContainerStatsResponse> client) {
    streamContainerStats.handle(request, client);
  }

  @Override
  public void podSandboxStats(
      PodSandboxStatsRequest request, StreamObserver<PodSandboxStatsResponse> client) {
    Answers.one(client, podSandboxStats.handle(request));
  }

  @Override
  public void listPodSandboxStats(
      ListPodSandboxStatsRequest request, StreamObserver<ListPodSandboxStatsResponse> client) {
    Answers.one(client, listPodSandboxStats.handle(request));
  }

  @Override
  public void streamPodSandboxStats(
      StreamPodSandboxStatsRequest request, StreamObserver<StreamPodSandboxStatsResponse> client) {
    streamPodSandboxStats.handle(request, client);
  }

  @Override
  public void updateRuntimeConfig(
      UpdateRuntimeConfigRequest request, StreamObserver<UpdateRuntimeConfigResponse> client) {
    Answers.one(client, updateRuntimeConfig.handle(request));
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusResponse> client) {
    Answers.one(client, status.handle(request));
  }

  @Override
  public void getContainerEvents(
      GetEventsRequest request, StreamObserver<ContainerEventResponse> client) {
    getContainerEvents.handle(request, client);
  }

  @Override
  public void listMetricDescriptors(
      ListMetricDescriptorsRequest request, StreamObserver<ListMetricDescriptorsResponse> client) {
    Answers.one(client, listMetricDescriptors.handle(request));
  }

  @Override
  public void listPodSandboxMetrics(
      ListPodSandboxMetricsRequest request, StreamObserver<ListPodSandboxMetricsResponse> client) {
    Answers.one(client, listPodSandboxMetrics.handle(request));
  }

  @Override
  public void streamPodSandboxMetrics(
      StreamPodSandboxMetricsRequest request,
      StreamObserver<StreamPodSandboxMetricsResponse> client) {
    streamPodSandboxMetrics.handle(request, client);
  }

  @Override
  public void runtimeConfig(
      RuntimeConfigRequest request, StreamObserver<RuntimeConfigResponse> client) {
    Answers.one(client, runtimeConfig.handle(request));
  }

  @Override
  public void updatePodSandboxResources(
      UpdatePodSandboxResourcesRequest request,
      StreamObserver<UpdatePodSandboxResourcesResponse> client) {
    Answers.one(client, updatePodSandboxResources.handle(request));
  }
}
