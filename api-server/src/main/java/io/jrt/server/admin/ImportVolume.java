package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.ImportVolumeRequest;
import io.jrt.admin.v1.ImportVolumeResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.volumes.NamedVolumes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Unpacks an archive over the files of a volume once all of it has come. */
final class ImportVolume {
  private static final Logger log = LoggerFactory.getLogger(ImportVolume.class);
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
    private String name = "";
    private @Nullable Path file;
    private @Nullable OutputStream out;

    Upload(StreamObserver<ImportVolumeResponse> client) {
      this.client = client;
    }

    @Override
    public void onNext(ImportVolumeRequest request) {
      switch (request.getPartCase()) {
        case NAME -> name = request.getName();
        case CHUNK -> write(request);
        case PART_NOT_SET ->
            throw new JrtException(ErrorKind.INVALID, STEP, "neither a name nor bytes");
      }
    }

    private void write(ImportVolumeRequest request) {
      try {
        if (out == null) {
          Files.createDirectories(uploads);
          file = Files.createTempFile(uploads, "volume-", ".tar");
          out = Files.newOutputStream(file);
        }
        request.getChunk().writeTo(out);
      } catch (IOException e) {
        discard();
        throw cannotKeep(e);
      }
    }

    private JrtException cannotKeep(IOException e) {
      return new JrtException(ErrorKind.NO_SPACE, STEP, "cannot keep the archive in " + uploads, e);
    }

    @Override
    public void onError(Throwable gone) {
      discard();
    }

    @Override
    public void onCompleted() {
      try {
        Path archive = file;
        if (name.isEmpty() || archive == null || out == null) {
          throw new JrtException(ErrorKind.INVALID, STEP, "a name and an archive are needed");
        }
        out.close();
        try (InputStream in = Files.newInputStream(archive)) {
          volumes.importTar(name, in);
        }
        client.onNext(ImportVolumeResponse.getDefaultInstance());
        client.onCompleted();
      } catch (IOException e) {
        throw cannotKeep(e);
      } finally {
        discard();
      }
    }

    private void discard() {
      try {
        if (out != null) {
          out.close();
        }
        if (file != null) {
          Files.deleteIfExists(file);
        }
      } catch (IOException e) {
        log.warn("cannot remove the archive {}: {}", file, e.toString());
      }
    }
  }
}
