package io.jrt.core;

import java.util.List;
import java.util.Optional;

/**
 * One mount asked for: a host path, a named volume, or an image.
 *
 * @param hostPath absolute, or the name of a volume; empty when {@code image} is given
 * @param imageSubPath a path in the image that is mounted instead of its root, or empty
 * @param options mount options such as {@code noexec}
 */
public record MountConfig(
    String containerPath,
    String hostPath,
    boolean readonly,
    boolean recursiveReadOnly,
    boolean selinuxRelabel,
    MountPropagation propagation,
    List<IdMapping> uidMappings,
    List<IdMapping> gidMappings,
    Optional<ImageSpec> image,
    String imageSubPath,
    List<String> options) {
  public MountConfig {
    uidMappings = List.copyOf(uidMappings);
    gidMappings = List.copyOf(gidMappings);
    options = List.copyOf(options);
  }

  /** The same with the image's id filled in. */
  public MountConfig withImageRef(String id) {
    return new MountConfig(
        containerPath,
        hostPath,
        readonly,
        recursiveReadOnly,
        selinuxRelabel,
        propagation,
        uidMappings,
        gidMappings,
        image.map(
            spec ->
                new ImageSpec(
                    spec.image(),
                    spec.annotations(),
                    spec.userSpecifiedImage(),
                    spec.runtimeHandler(),
                    id)),
        imageSubPath,
        options);
  }

  /** A private bind mount of a host path. */
  public static MountConfig bind(String hostPath, String containerPath, boolean readonly) {
    return new MountConfig(
        containerPath,
        hostPath,
        readonly,
        false,
        false,
        MountPropagation.PRIVATE,
        List.of(),
        List.of(),
        Optional.empty(),
        "",
        List.of());
  }
}
