package io.jrt.server.cri;

import io.jrt.cri.v1.FilesystemUsage;
import io.jrt.cri.v1.ImageFsInfoRequest;
import io.jrt.cri.v1.ImageFsInfoResponse;
import io.jrt.server.image.Images;
import java.util.List;

/** The file systems of images and of containers, and how full they are. */
final class ImageFsInfo {
  private final Images images;

  ImageFsInfo(Images images) {
    this.images = images;
  }

  ImageFsInfoResponse handle(ImageFsInfoRequest request) {
    List<FilesystemUsage> usage = images.fsUsage().stream().map(ImageTranslation::toCri).toList();
    return ImageFsInfoResponse.newBuilder()
        .addAllImageFilesystems(usage)
        .addAllContainerFilesystems(usage)
        .build();
  }
}
