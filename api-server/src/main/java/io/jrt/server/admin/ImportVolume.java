package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.ImportVolumeRequest;
import io.jrt.admin.v1.ImportVolumeResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.volumes.NamedVolumes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Unpacks an archive over the files of a volume once all of it has come. */
final class ImportVolume {
  private static final String STEP = "import volume";

  private final NamedVolumes volumes;
  private final Path uploads;

  ImportVolume(NamedVolumes volumes, Path uploads) {
    this.volumes = volumes;
    this.uploads = uploads;
  }

  StreamObserver<ImportVolumeRequest> handle(StreamObserver<ImportVolumeResponse> client) {
    return new Upload(client);
  }

  /** The requests of one call, one after the other. */
  private final class Upload implements StreamObserver<ImportVolumeRequest> {
    private final StreamObserver<ImportVolumeResponse> client;
    private final ArchiveUpload archive = new ArchiveUpload(uploads, STEP);
    private String name = "";

    Upload(StreamObserver<ImportVolumeResponse> client) {
      this.client = client;
    }

    @Override
    public void onNext(ImportVolumeRequest request) {
      switch (request.getPartCase()) {
        case NAME -> name = request.getName();
        case CHUNK -> archive.add(request.getChunk());
        case PART_NOT_SET ->
            throw new JrtException(ErrorKind.INVALID, STEP, "neither a name nor bytes");
      }
    }

    @Override
    public void onError(Throwable gone) {
      archive.close();
    }

    @Override
    public void onCompleted() {
      try {
        Optional<Path> file = archive.whole();
        if (name.isEmpty() || file.isEmpty()) {
          throw new JrtException(ErrorKind.INVALID, STEP, "a name and an archive are needed");
        }
        try (InputStream in = Files.newInputStream(file.get())) {
          volumes.importTar(name, in);
        }
        client.onNext(ImportVolumeResponse.getDefaultInstance());
        client.onCompleted();
      } catch (IOException e) {
        throw new JrtException(
            ErrorKind.UNAVAILABLE, STEP, "cannot read the archive in " + uploads, e);
      } finally {
        archive.close();
      }
    }
  }
}
