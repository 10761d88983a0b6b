package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.AdminGrpc;
import io.jrt.admin.v1.CheckRequest;
import io.jrt.admin.v1.CheckResponse;
import io.jrt.admin.v1.CreateVolumeRequest;
import io.jrt.admin.v1.CreateVolumeResponse;
import io.jrt.admin.v1.DoctorRequest;
import io.jrt.admin.v1.DoctorResponse;
import io.jrt.admin.v1.EventsRequest;
import io.jrt.admin.v1.EventsResponse;
import io.jrt.admin.v1.ExecRequest;
import io.jrt.admin.v1.ExecResponse;
import io.jrt.admin.v1.ExportVolumeRequest;
import io.jrt.admin.v1.ExportVolumeResponse;
import io.jrt.admin.v1.GenerateCdiRequest;
import io.jrt.admin.v1.GenerateCdiResponse;
import io.jrt.admin.v1.ImportImageRequest;
import io.jrt.admin.v1.ImportImageResponse;
import io.jrt.admin.v1.ImportVolumeRequest;
import io.jrt.admin.v1.ImportVolumeResponse;
import io.jrt.admin.v1.InfoRequest;
import io.jrt.admin.v1.InfoResponse;
import io.jrt.admin.v1.InspectRequest;
import io.jrt.admin.v1.InspectResponse;
import io.jrt.admin.v1.InspectVolumeRequest;
import io.jrt.admin.v1.InspectVolumeResponse;
import io.jrt.admin.v1.ListCdiRequest;
import io.jrt.admin.v1.ListCdiResponse;
import io.jrt.admin.v1.ListGpusRequest;
import io.jrt.admin.v1.ListGpusResponse;
import io.jrt.admin.v1.ListOperationsRequest;
import io.jrt.admin.v1.ListOperationsResponse;
import io.jrt.admin.v1.ListPullsRequest;
import io.jrt.admin.v1.ListPullsResponse;
import io.jrt.admin.v1.ListVolumesRequest;
import io.jrt.admin.v1.ListVolumesResponse;
import io.jrt.admin.v1.LogsRequest;
import io.jrt.admin.v1.LogsResponse;
import io.jrt.admin.v1.PruneRequest;
import io.jrt.admin.v1.PruneResponse;
import io.jrt.admin.v1.PullRequest;
import io.jrt.admin.v1.PullResponse;
import io.jrt.admin.v1.PullUnderWay;
import io.jrt.admin.v1.ReloadConfigRequest;
import io.jrt.admin.v1.ReloadConfigResponse;
import io.jrt.admin.v1.RemoveVolumeRequest;
import io.jrt.admin.v1.RemoveVolumeResponse;
import io.jrt.admin.v1.ShowConfigRequest;
import io.jrt.admin.v1.ShowConfigResponse;
import io.jrt.admin.v1.StatsRequest;
import io.jrt.admin.v1.StatsResponse;
import io.jrt.admin.v1.ValidateCdiRequest;
import io.jrt.admin.v1.ValidateCdiResponse;
import io.jrt.admin.v1.WhyRequest;
import io.jrt.admin.v1.WhyResponse;
import io.jrt.core.ContainerRuntime;
import io.jrt.image.PullProgress;
import io.jrt.server.config.Config;
import io.jrt.server.config.ConfigText;
import io.jrt.server.config.Configuration;
import io.jrt.server.image.Images;
import io.jrt.server.rpc.Answers;
import io.jrt.server.streaming.StreamingServer;
import io.jrt.volumes.NamedVolumes;
import java.nio.file.Path;
import java.util.function.Supplier;

/** The switchboard of the admin API: each call goes to the class of its name. */
public final class AdminSwitchboard extends AdminGrpc.AdminImplBase {
  private final Configuration configuration;
  private final Supplier<Configuration.Reloaded> reload;
  private final Info info;
  private final Pull pull;
  private final ImportImage importImage;
  private final Events events;
  private final ListOperations listOperations;
  private final Logs logs;
  private final Exec exec;
  private final Inspect inspect;
  private final Why why;
  private final Stats stats;
  private final Prune prune;
  private final VolumeCalls volumes;
  private final ImportVolume importVolume;
  private final Doctor doctor;
  private final Check check;
  private final Images images;
  private final Devices devices;

  /**
   * @param uploads a directory for archives that are sent over the socket
   * @param streaming gives the URLs of commands
   * @param reload reads the configuration anew
   */
  public AdminSwitchboard(
      String version,
      ContainerRuntime runtime,
      Images images,
      NamedVolumes volumes,
      Configuration configuration,
      Doctor doctor,
      Path uploads,
      StreamingServer streaming,
      Supplier<Configuration.Reloaded> reload) {
    ArchiveUpload.removeLeftovers(uploads);
    this.configuration = configuration;
    this.reload = reload;
    this.info = new Info(version, runtime, images, configuration, streaming.certificates());
    this.pull = new Pull(images);
    this.importImage = new ImportImage(images, uploads);
    this.events = new Events(runtime);
    this.listOperations = new ListOperations(runtime);
    this.logs = new Logs(runtime);
    this.exec = new Exec(runtime, streaming);
    this.inspect = new Inspect(runtime, images);
    this.why = new Why(runtime);
    this.stats = new Stats(runtime);
    this.prune = new Prune(runtime, images, volumes);
    this.volumes = new VolumeCalls(volumes);
    this.importVolume = new ImportVolume(volumes, uploads);
    this.doctor = doctor;
    this.check = new Check(runtime);
    this.images = images;
    this.devices = new Devices(runtime);
  }

  @Override
  public void info(InfoRequest request, StreamObserver<InfoResponse> client) {
    Answers.one(client, info.handle(request));
  }

  @Override
  public void pull(PullRequest request, StreamObserver<PullResponse> client) {
    pull.handle(request, client);
  }

  @Override
  public StreamObserver<ImportImageRequest> importImage(
      StreamObserver<ImportImageResponse> client) {
    return importImage.handle(client);
  }

  @Override
  public void events(EventsRequest request, StreamObserver<EventsResponse> client) {
    events.handle(request, client);
  }

  @Override
  public void listOperations(
      ListOperationsRequest request, StreamObserver<ListOperationsResponse> client) {
    Answers.one(client, listOperations.handle(request));
  }

  @Override
  public void logs(LogsRequest request, StreamObserver<LogsResponse> client) {
    logs.handle(request, client);
  }

  @Override
  public void exec(ExecRequest request, StreamObserver<ExecResponse> client) {
    Answers.one(client, exec.handle(request));
  }

  @Override
  public void inspect(InspectRequest request, StreamObserver<InspectResponse> client) {
    Answers.one(client, inspect.handle(request));
  }

  @Override
  public void why(WhyRequest request, StreamObserver<WhyResponse> client) {
    Answers.one(client, why.handle(request));
  }

  @Override
  public void stats(StatsRequest request, StreamObserver<StatsResponse> client) {
    stats.handle(request, client);
  }

  @Override
  public void reloadConfig(
      ReloadConfigRequest request, StreamObserver<ReloadConfigResponse> client) {
    Configuration.Reloaded reloaded = reload.get();
    Answers.one(
        client,
        ReloadConfigResponse.newBuilder()
            .addAllChanged(reloaded.changed())
            .addAllNeedRestart(reloaded.needRestart())
            .build());
  }

  @Override
  public void showConfig(ShowConfigRequest request, StreamObserver<ShowConfigResponse> client) {
    Answers.one(
        client,
        ShowConfigResponse.newBuilder()
            .setToml(ConfigText.of(configuration.current()))
            .setDefaults(ConfigText.of(Config.DEFAULT))
            .build());
  }

  @Override
  public void listGpus(ListGpusRequest request, StreamObserver<ListGpusResponse> client) {
    Answers.one(client, devices.gpus());
  }

  @Override
  public void listCdi(ListCdiRequest request, StreamObserver<ListCdiResponse> client) {
    Answers.one(client, devices.list());
  }

  @Override
  public void validateCdi(ValidateCdiRequest request, StreamObserver<ValidateCdiResponse> client) {
    Answers.one(client, devices.validate(request));
  }

  @Override
  public void generateCdi(GenerateCdiRequest request, StreamObserver<GenerateCdiResponse> client) {
    Answers.one(client, devices.generate());
  }

  @Override
  public void prune(PruneRequest request, StreamObserver<PruneResponse> client) {
    Answers.one(client, prune.handle(request, Answers.deadline()));
  }

  @Override
  public void createVolume(
      CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> client) {
    Answers.one(
        client, CreateVolumeResponse.newBuilder().setVolume(volumes.create(request)).build());
  }

  @Override
  public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> client) {
    Answers.one(client, volumes.list());
  }

  @Override
  public void inspectVolume(
      InspectVolumeRequest request, StreamObserver<InspectVolumeResponse> client) {
    Answers.one(
        client,
        InspectVolumeResponse.newBuilder().setVolume(volumes.inspect(request.getName())).build());
  }

  @Override
  public void removeVolume(
      RemoveVolumeRequest request, StreamObserver<RemoveVolumeResponse> client) {
    volumes.remove(request.getName());
    Answers.one(client, RemoveVolumeResponse.getDefaultInstance());
  }

  @Override
  public void exportVolume(
      ExportVolumeRequest request, StreamObserver<ExportVolumeResponse> client) {
    volumes.export(request, client);
  }

  @Override
  public StreamObserver<ImportVolumeRequest> importVolume(
      StreamObserver<ImportVolumeResponse> client) {
    return importVolume.handle(client);
  }

  @Override
  public void doctor(DoctorRequest request, StreamObserver<DoctorResponse> client) {
    Answers.one(client, doctor.handle());
  }

  @Override
  public void check(CheckRequest request, StreamObserver<CheckResponse> client) {
    Answers.one(client, check.handle(request));
  }

  @Override
  public void listPulls(ListPullsRequest request, StreamObserver<ListPullsResponse> client) {
    ListPullsResponse.Builder response = ListPullsResponse.newBuilder();
    for (PullProgress pull : images.pulls()) {
      response.addPulls(
          PullUnderWay.newBuilder()
              .setSince(Times.nanos(pull.since()))
              .setProgress(Pull.progress(pull)));
    }
    Answers.one(client, response.build());
  }
}
