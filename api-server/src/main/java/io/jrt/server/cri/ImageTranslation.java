package io.jrt.server.cri;

import io.jrt.core.ImageSpec;
import io.jrt.cri.v1.AuthConfig;
import io.jrt.cri.v1.FilesystemIdentifier;
import io.jrt.cri.v1.FilesystemUsage;
import io.jrt.cri.v1.Int64Value;
import io.jrt.cri.v1.UInt64Value;
import io.jrt.errors.JrtException;
import io.jrt.image.ClaimCheck;
import io.jrt.image.FsUsage;
import io.jrt.image.Image;
import io.jrt.image.ImageUser;
import io.jrt.image.RegistryAuth;

/** CRI's images as the records of the runtime and the image store, and back. */
final class ImageTranslation {
  private ImageTranslation() {}

  static ImageSpec spec(io.jrt.cri.v1.ImageSpec cri) {
    return new ImageSpec(
        cri.getImage(),
        cri.getAnnotationsMap(),
        cri.getUserSpecifiedImage(),
        cri.getRuntimeHandler(),
        cri.getImageRef());
  }

  static io.jrt.cri.v1.ImageSpec toCri(ImageSpec spec) {
    return io.jrt.cri.v1.ImageSpec.newBuilder()
        .setImage(spec.image())
        .putAllAnnotations(spec.annotations())
        .setUserSpecifiedImage(spec.userSpecifiedImage())
        .setRuntimeHandler(spec.runtimeHandler())
        .setImageRef(spec.imageRef())
        .build();
  }

  /** By the name that the pod's author wrote: the kubelet asks by id, and people see this. */
  static io.jrt.cri.v1.ImageSpec written(ImageSpec spec) {
    io.jrt.cri.v1.ImageSpec.Builder cri = toCri(spec).toBuilder();
    spec.written().ifPresent(reference -> cri.setImage(reference.toString()));
    return cri.build();
  }

  static RegistryAuth auth(AuthConfig cri) {
    return new RegistryAuth(
        cri.getUsername(),
        cri.getPassword(),
        cri.getAuth(),
        cri.getServerAddress(),
        cri.getIdentityToken(),
        cri.getRegistryToken());
  }

  static io.jrt.cri.v1.Image toCri(Image image) {
    io.jrt.cri.v1.Image.Builder cri =
        io.jrt.cri.v1.Image.newBuilder()
            .setId(image.id())
            .addAllRepoTags(image.repoTags())
            .addAllRepoDigests(image.repoDigests())
            .setSize(image.size())
            .setPinned(image.pinned());
    user(image, cri);
    return cri.build();
  }

  /** Either the number or the name, never both; nothing for what the check refuses. */
  private static void user(Image image, io.jrt.cri.v1.Image.Builder cri) {
    ImageUser user;
    try {
      user = image.config().user().through(ClaimCheck.USER);
    } catch (JrtException refused) {
      // A container of this image can't be made, and says why; the list goes on.
      return;
    }
    if (user.uid().isPresent()) {
      cri.setUid(Int64Value.newBuilder().setValue(user.uid().getAsInt()));
    } else if (user.user().isEmpty()) {
      cri.setUid(Int64Value.getDefaultInstance());
    } else {
      cri.setUsername(user.user());
    }
  }

  static FilesystemUsage toCri(FsUsage usage) {
    return FilesystemUsage.newBuilder()
        .setTimestamp(Times.nanos(usage.at()))
        .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(usage.path().toString()))
        .setUsedBytes(UInt64Value.newBuilder().setValue(usage.bytes()))
        .setInodesUsed(UInt64Value.newBuilder().setValue(usage.inodes()))
        .build();
  }
}
