package io.jrt.server.cri;

import io.jrt.core.MountConfig;
import io.jrt.core.MountPropagation;
import io.jrt.cri.v1.Mount;
import java.util.Optional;

/** CRI's mounts as the runtime's record, and back. */
final class MountTranslation {
  private MountTranslation() {}

  static MountConfig of(Mount cri) {
    return new MountConfig(
        Requests.required(cri.getContainerPath(), "mount.container_path"),
        cri.getHostPath(),
        cri.getReadonly(),
        cri.getRecursiveReadOnly(),
        cri.getSelinuxRelabel(),
        propagation(cri.getPropagation()),
        SecurityTranslation.mappings(cri.getUidMappingsList()),
        SecurityTranslation.mappings(cri.getGidMappingsList()),
        cri.hasImage() ? Optional.of(ImageTranslation.spec(cri.getImage())) : Optional.empty(),
        cri.getImageSubPath(),
        cri.getMountOptionsList());
  }

  static Mount toCri(MountConfig mount) {
    Mount.Builder cri =
        Mount.newBuilder()
            .setContainerPath(mount.containerPath())
            .setHostPath(mount.hostPath())
            .setReadonly(mount.readonly())
            .setRecursiveReadOnly(mount.recursiveReadOnly())
            .setSelinuxRelabel(mount.selinuxRelabel())
            .setPropagation(propagation(mount.propagation()))
            .addAllUidMappings(SecurityTranslation.mappingsToCri(mount.uidMappings()))
            .addAllGidMappings(SecurityTranslation.mappingsToCri(mount.gidMappings()))
            .setImageSubPath(mount.imageSubPath())
            .addAllMountOptions(mount.options());
    mount.image().ifPresent(image -> cri.setImage(ImageTranslation.toCri(image)));
    return cri.build();
  }

  private static MountPropagation propagation(io.jrt.cri.v1.MountPropagation cri) {
    return switch (cri) {
      case PROPAGATION_PRIVATE -> MountPropagation.PRIVATE;
      case PROPAGATION_HOST_TO_CONTAINER -> MountPropagation.HOST_TO_CONTAINER;
      case PROPAGATION_BIDIRECTIONAL -> MountPropagation.BIDIRECTIONAL;
      case UNRECOGNIZED -> throw Requests.invalid("a mount propagation that jrt does not know");
    };
  }

  private static io.jrt.cri.v1.MountPropagation propagation(MountPropagation propagation) {
    return switch (propagation) {
      case PRIVATE -> io.jrt.cri.v1.MountPropagation.PROPAGATION_PRIVATE;
      case HOST_TO_CONTAINER -> io.jrt.cri.v1.MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
      case BIDIRECTIONAL -> io.jrt.cri.v1.MountPropagation.PROPAGATION_BIDIRECTIONAL;
    };
  }
}
