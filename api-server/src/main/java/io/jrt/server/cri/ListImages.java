package io.jrt.server.cri;

import io.jrt.cri.v1.ListImagesRequest;
import io.jrt.cri.v1.ListImagesResponse;
import io.jrt.server.image.Images;

/** The images that are here. */
final class ListImages {
  private final Images images;

  ListImages(Images images) {
    this.images = images;
  }

  ListImagesResponse handle(ListImagesRequest request) {
    return ListImagesResponse.newBuilder()
        .addAllImages(
            images.list(request.getFilter().getImage().getImage()).stream()
                .map(ImageTranslation::toCri)
                .toList())
        .build();
  }
}
