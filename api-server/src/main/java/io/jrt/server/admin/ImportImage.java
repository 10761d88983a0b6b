package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.ImportImageRequest;
import io.jrt.admin.v1.ImportImageResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.image.Images;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** Reads images from an archive that lies on this machine or is sent over the socket. */
final class ImportImage {
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
    private final ArchiveUpload archive = new ArchiveUpload(uploads, STEP);
    private Optional<Path> given = Optional.empty();

    Upload(StreamObserver<ImportImageResponse> client) {
      this.client = client;
    }

    @Override
    public void onNext(ImportImageRequest request) {
      switch (request.getPartCase()) {
        case PATH -> given = Optional.of(path(request.getPath()));
        case CHUNK -> archive.add(request.getChunk());
        case PART_NOT_SET ->
            throw new JrtException(ErrorKind.INVALID, STEP, "neither a path nor bytes");
      }
    }

    private static Path path(String text) {
      try {
        return Path.of(text);
      } catch (InvalidPathException e) {
        throw new JrtException(ErrorKind.INVALID, STEP, "no path: " + e.getMessage(), e);
      }
    }

    @Override
    public void onError(Throwable gone) {
      archive.close();
    }

    @Override
    public void onCompleted() {
      try {
        Path source =
            given
                .or(archive::whole)
                .orElseThrow(
                    () ->
                        new JrtException(
                            ErrorKind.INVALID, STEP, "neither a path nor bytes were given"));
        if (!source.isAbsolute()) {
          throw new JrtException(ErrorKind.INVALID, STEP, "path " + source + " is not absolute");
        }
        ImportImageResponse.Builder response = ImportImageResponse.newBuilder();
        images.importArchive(source).forEach(image -> response.addImages(Results.of(image)));
        client.onNext(response.build());
        client.onCompleted();
      } finally {
        archive.close();
      }
    }
  }
}
