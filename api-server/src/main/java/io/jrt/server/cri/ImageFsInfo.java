package io.jrt.server.cri;

import io.jrt.cri.v1.ImageFsInfoRequest;
import io.jrt.cri.v1.ImageFsInfoResponse;
import io.jrt.server.image.Images;

/** The file systems of images and of containers, and how full they are. */
final class ImageFsInfo {
  private final Images images;

  ImageFsInfo(Images images) {
    this.images = images;
  }

  ImageFsInfoResponse handle(ImageFsInfoRequest request) {
    return ImageFsInfoResponse.newBuilder()
        .addImageFilesystems(ImageTranslation.toCri(images.imageUsage()))
        .addContainerFilesystems(ImageTranslation.toCri(images.containerUsage()))
        .build();
  }
}
