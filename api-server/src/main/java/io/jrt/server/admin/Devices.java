package io.jrt.server.admin;

import io.jrt.admin.v1.CdiDeviceInfo;
import io.jrt.admin.v1.GenerateCdiResponse;
import io.jrt.admin.v1.GeneratedCdi;
import io.jrt.admin.v1.Gpu;
import io.jrt.admin.v1.ListCdiResponse;
import io.jrt.admin.v1.ListGpusResponse;
import io.jrt.admin.v1.ValidateCdiRequest;
import io.jrt.admin.v1.ValidateCdiResponse;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.device.CdiRegistry;
import io.jrt.core.device.CdiSpec;
import io.jrt.core.device.CdiSpecReader;
import io.jrt.core.device.CdiWriter;
import io.jrt.core.device.GpuUse;

/** GPUs, and the CDI specs by which containers ask for them. */
final class Devices {
  private final ContainerRuntime runtime;

  Devices(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ListGpusResponse gpus() {
    return ListGpusResponse.newBuilder()
        .addAllGpus(runtime.gpus().stream().map(Devices::gpu).toList())
        .build();
  }

  private static Gpu gpu(GpuUse use) {
    Gpu.Builder gpu =
        Gpu.newBuilder()
            .setUuid(use.gpu().uuid())
            .setName(use.gpu().name())
            .setDriver(use.gpu().driver())
            .setPciAddress(use.gpu().pciAddress())
            .setCdiName(use.gpu().cdiName())
            .addAllDeviceNodes(use.gpu().nodes())
            .setMemoryBytes(use.gpu().use().memoryBytes())
            .setMemoryUsed(use.gpu().use().memoryUsed())
            .addAllContainerIds(use.containerIds());
    use.gpu().use().busyPercent().ifPresent(gpu::setBusyPercent);
    return gpu.build();
  }

  ListCdiResponse list() {
    CdiRegistry.Contents contents = runtime.devices().registry().contents();
    ListCdiResponse.Builder answer = ListCdiResponse.newBuilder();
    contents
        .devices()
        .forEach(
            (name, found) ->
                answer.addDevices(
                    CdiDeviceInfo.newBuilder().setName(name).setOrigin(found.spec().origin())));
    return answer
        .addAllProblems(contents.problems())
        .addAllProblems(contents.conflicts().values())
        .build();
  }

  ValidateCdiResponse validate(ValidateCdiRequest request) {
    CdiSpec spec = CdiSpecReader.parse(request.getName(), request.getContent());
    return ValidateCdiResponse.newBuilder()
        .addAllDevices(
            spec.devices().stream().map(each -> spec.kind() + "=" + each.name()).toList())
        .build();
  }

  GenerateCdiResponse generate() {
    GenerateCdiResponse.Builder answer = GenerateCdiResponse.newBuilder();
    for (CdiSpec spec : runtime.devices().discovery().specs()) {
      answer.addSpecs(GeneratedCdi.newBuilder().setKind(spec.kind()).setJson(CdiWriter.json(spec)));
    }
    return answer.build();
  }
}
