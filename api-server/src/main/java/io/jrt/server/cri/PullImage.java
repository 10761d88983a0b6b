package io.jrt.server.cri;

import io.jrt.cri.v1.PullImageRequest;
import io.jrt.cri.v1.PullImageResponse;
import io.jrt.image.Image;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.server.image.Images;
import io.jrt.server.rpc.Answers;

/** Fetches an image with the credentials given. */
final class PullImage {
  private final Images images;

  PullImage(Images images) {
    this.images = images;
  }

  PullImageResponse handle(PullImageRequest request) {
    String name = Requests.required(request.getImage().getImage(), "image.image");
    PullRequest pull = PullRequest.of(name, ImageTranslation.auth(request.getAuth()));
    Image image = Answers.untilCancelled(() -> images.pull(pull, PullListener.NONE));
    return PullImageResponse.newBuilder().setImageRef(image.id()).build();
  }
}
