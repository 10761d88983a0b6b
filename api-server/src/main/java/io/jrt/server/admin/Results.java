package io.jrt.server.admin;

import io.jrt.admin.v1.ImageResult;
import io.jrt.image.Image;

/** Images as the admin API shows them. */
final class Results {
  private Results() {}

  static ImageResult of(Image image) {
    return ImageResult.newBuilder()
        .setId(image.id())
        .addAllTags(image.repoTags())
        .addAllDigests(image.repoDigests())
        .setSize(image.size())
        .build();
  }
}
