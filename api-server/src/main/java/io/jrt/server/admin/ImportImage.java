package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.ImportImageRequest;
import io.jrt.admin.v1.ImportImageResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.image.Images;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads images from an archive that lies on this machine or is sent over the socket. */
final class ImportImage {
  private static final Logger log = LoggerFactory.getLogger(ImportImage.class);
  private static final String STEP = "import image";

  private final Images images;
  private final Path uploads;

  ImportImage(Images images, Path uploads) {
    this.images = images;
    this.uploads = uploads;
  }

  StreamObserver<ImportImageRequest> handle(StreamObserver<ImportImageResponse> client) {
    return new Upload(client);
  }

  /** The requests of one call, one after the other. */
  private final class Upload implements StreamObserver<ImportImageRequest> {
    private final StreamObserver<ImportImageResponse> client;
    private @Nullable Path given;
    private @Nullable Path file;
    private @Nullable OutputStream out;

    Upload(StreamObserver<ImportImageResponse> client) {
      this.client = client;
    }

    @Override
    public void onNext(ImportImageRequest request) {
      switch (request.getPartCase()) {
        case PATH -> given = Path.of(request.getPath());
        case CHUNK -> write(request);
        case PART_NOT_SET ->
            throw new JrtException(ErrorKind.INVALID, STEP, "neither a path nor bytes");
      }
    }

    private void write(ImportImageRequest request) {
      try {
        if (out == null) {
          Files.createDirectories(uploads);
          file = Files.createTempFile(uploads, "upload-", ".tar");
          out = Files.newOutputStream(file);
        }
        request.getChunk().writeTo(out);
      } catch (IOException e) {
        discard();
        throw new JrtException(
            ErrorKind.NO_SPACE, STEP, "cannot keep the archive in " + uploads, e);
      }
    }

    @Override
    public void onError(Throwable gone) {
      discard();
    }

    @Override
    public void onCompleted() {
      try {
        close();
        Path source = given != null ? given : file;
        if (source == null) {
          throw new JrtException(ErrorKind.INVALID, STEP, "neither a path nor bytes were given");
        }
        if (!source.isAbsolute()) {
          throw new JrtException(ErrorKind.INVALID, STEP, "path " + source + " is not absolute");
        }
        ImportImageResponse.Builder response = ImportImageResponse.newBuilder();
        images.importArchive(source).forEach(image -> response.addImages(Results.of(image)));
        client.onNext(response.build());
        client.onCompleted();
      } finally {
        discard();
      }
    }

    private void close() {
      try {
        if (out != null) {
          out.close();
        }
      } catch (IOException e) {
        throw new JrtException(
            ErrorKind.NO_SPACE, STEP, "cannot keep the archive in " + uploads, e);
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
