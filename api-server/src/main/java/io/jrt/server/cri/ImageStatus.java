package io.jrt.server.cri;

import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.ImageStatusResponse;
import io.jrt.server.image.Images;

/**
 * One image; a response without it when it is not here. Verbose ones also tell of a pull under way.
 */
final class ImageStatus {
  private final Images images;

  ImageStatus(Images images) {
    this.images = images;
  }

  ImageStatusResponse handle(ImageStatusRequest request) {
    String name = Requests.required(request.getImage().getImage(), "image.image");
    ImageStatusResponse.Builder response = ImageStatusResponse.newBuilder();
    images
        .find(name)
        .ifPresent(
            image -> {
              response.setImage(ImageTranslation.toCri(image));
              if (request.getVerbose()) {
                response.putInfo("info", images.inspect(image));
              }
            });
    if (request.getVerbose()) {
      images.underWay(name).ifPresent(pull -> response.putInfo("pull", pull));
    }
    return response.build();
  }
}
