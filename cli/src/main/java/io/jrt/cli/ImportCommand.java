package io.jrt.cli;

import com.google.protobuf.ByteString;
import io.jrt.admin.v1.ImageResult;
import io.jrt.admin.v1.ImportImageRequest;
import io.jrt.admin.v1.ImportImageResponse;
import io.jrt.cli.rpc.Call;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code jrt image import}: an OCI layout or archive, or a docker archive. */
final class ImportCommand implements Command {
  private static final int CHUNK = 1 << 20;

  @Override
  public Spec spec() {
    return Spec.of(
        "image import",
        "FILE|DIRECTORY|-",
        "read images from an OCI layout, an OCI archive or a docker archive",
        List.of(),
        "image import app.tar");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    String source = arguments.one("file");
    ImportImageResponse answer;
    try (Call call = session.daemon().adminUpload("ImportImage")) {
      if (source.equals("-")) {
        upload(call, System.in);
      } else {
        Path path = Path.of(source).toAbsolutePath().normalize();
        if (!Files.exists(path)) {
          throw new UsageException("no file " + path);
        }
        call.send(ImportImageRequest.newBuilder().setPath(path.toString()).build().toByteArray());
      }
      call.halfClose();
      answer = Daemon.answer(call, ImportImageResponse.parser());
    }
    if (!session.forPeople()) {
      session.print(answer);
      return 0;
    }
    for (ImageResult image : answer.getImagesList()) {
      String names = String.join(" ", image.getTagsList());
      session.out().println(Words.shortId(image.getId()) + "  " + names);
    }
    return 0;
  }

  private static void upload(Call call, InputStream in) throws IOException {
    byte[] buffer = new byte[CHUNK];
    for (int n = in.readNBytes(buffer, 0, CHUNK); n > 0; n = in.readNBytes(buffer, 0, CHUNK)) {
      call.send(
          ImportImageRequest.newBuilder()
              .setChunk(ByteString.copyFrom(buffer, 0, n))
              .build()
              .toByteArray());
    }
  }
}
