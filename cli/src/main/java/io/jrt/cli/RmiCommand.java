package io.jrt.cli;

import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.ImageStatusResponse;
import io.jrt.cri.v1.RemoveImageRequest;
import io.jrt.cri.v1.RemoveImageResponse;
import java.io.IOException;
import java.util.List;

/** {@code jrt rmi}. */
final class RmiCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of("rmi", "IMAGE…", "remove images", List.of(), "rmi localhost:5000/app:1");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    for (String word : arguments.atLeastOne("image")) {
      ImageSpec image = ImageSpec.newBuilder().setImage(word).build();
      ImageStatusResponse status =
          session
              .daemon()
              .images(
                  "ImageStatus",
                  ImageStatusRequest.newBuilder().setImage(image).build(),
                  ImageStatusResponse.parser());
      if (!status.hasImage()) {
        throw new UsageException("no image " + word + "; jrt images lists them");
      }
      session
          .daemon()
          .images(
              "RemoveImage",
              RemoveImageRequest.newBuilder().setImage(image).build(),
              RemoveImageResponse.parser());
      session.out().println(word);
    }
    return 0;
  }
}
