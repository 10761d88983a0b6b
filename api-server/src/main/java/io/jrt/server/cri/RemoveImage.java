package io.jrt.server.cri;

import io.jrt.cri.v1.RemoveImageRequest;
import io.jrt.cri.v1.RemoveImageResponse;
import io.jrt.server.image.Images;

/** Removes an image with all its names; one that is not here is no error. */
final class RemoveImage {
  private final Images images;

  RemoveImage(Images images) {
    this.images = images;
  }

  RemoveImageResponse handle(RemoveImageRequest request) {
    images.remove(Requests.required(request.getImage().getImage(), "image.image"));
    return RemoveImageResponse.getDefaultInstance();
  }
}
