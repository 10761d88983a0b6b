package io.jrt.server.admin;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.CreateVolumeRequest;
import io.jrt.admin.v1.ExportVolumeRequest;
import io.jrt.admin.v1.ExportVolumeResponse;
import io.jrt.admin.v1.ListVolumesResponse;
import io.jrt.admin.v1.Volume;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import io.jrt.volumes.NamedVolumes;
import io.jrt.volumes.VolumeInfo;
import io.jrt.volumes.VolumeSpec;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** The calls about named volumes. */
final class VolumeCalls {
  private static final int CHUNK = 256 << 10;

  private final NamedVolumes volumes;

  VolumeCalls(NamedVolumes volumes) {
    this.volumes = volumes;
  }

  Volume create(CreateVolumeRequest request) {
    String driver = request.getDriver().isEmpty() ? VolumeSpec.LOCAL : request.getDriver();
    if (request.getSizeLimit() < 0) {
      throw new JrtException(
          ErrorKind.INVALID, "create volume", "size limit %d".formatted(request.getSizeLimit()));
    }
    return shown(
        volumes.create(
            new VolumeSpec(
                request.getName(),
                driver,
                request.getSizeLimit(),
                request.getLabelsMap(),
                request.getOptionsMap())));
  }

  ListVolumesResponse list() {
    return ListVolumesResponse.newBuilder()
        .addAllVolumes(volumes.list().stream().map(this::shown).toList())
        .build();
  }

  Volume inspect(String name) {
    return shown(require(name));
  }

  void remove(String name) {
    volumes.remove(require(name).spec().name());
  }

  void export(ExportVolumeRequest request, StreamObserver<ExportVolumeResponse> client) {
    String name = require(request.getName()).spec().name();
    Answers.stream(
        client,
        sink -> {
          try (OutputStream out = new BufferedOutputStream(new Chunks(sink), CHUNK)) {
            volumes.exportTar(name, out);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private VolumeInfo require(String name) {
    return volumes
        .find(name)
        .orElseThrow(
            () ->
                new JrtException(
                    ErrorKind.NOT_FOUND,
                    "find volume",
                    "no volume " + name,
                    "jrt volume ls lists them",
                    null));
  }

  private Volume shown(VolumeInfo volume) {
    VolumeSpec spec = volume.spec();
    Volume.Builder shown =
        Volume.newBuilder()
            .setName(spec.name())
            .setDriver(spec.driver())
            .setCreatedAt(Times.nanos(volume.created()))
            .setSizeLimit(spec.sizeBytes())
            .putAllLabels(spec.labels())
            .addAllContainerIds(volume.users().stream().sorted().toList());
    volumes.path(spec.name()).ifPresent(path -> shown.setPath(path.toString()));
    volume.usedBytes().ifPresent(shown::setUsedBytes);
    return shown.build();
  }

  /** Each write is a message. */
  private static final class Chunks extends OutputStream {
    private final Sink<ExportVolumeResponse> sink;

    Chunks(Sink<ExportVolumeResponse> sink) {
      this.sink = sink;
    }

    @Override
    public void write(int one) {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      sink.send(
          ExportVolumeResponse.newBuilder()
              .setChunk(ByteString.copyFrom(bytes, offset, length))
              .build());
    }
  }
}
