package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Layer;
import io.jrt.linux.MountAttributes;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.OverlayOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Shows an image, or a part of it, as a detached mount. What lies in the image is not trusted: a
 * sub-path is resolved as if the image's root were the root of everything.
 */
final class ImageMounts {
  private static final String STEP = "mount image volume";

  private final Kernel kernel;

  ImageMounts(Kernel kernel) {
    this.kernel = kernel;
  }

  /**
   * @param label what all files carry for SELinux, empty for their own
   */
  Fd mount(MountSource.Image image, Optional<Fd> userNamespace, String label) {
    if (image.layers().isEmpty()) {
      throw failed(image, "the image has no layers", Optional.empty());
    }
    try {
      Fd whole = tree(image, userNamespace, label);
      if (image.subPath().isEmpty()) {
        return whole;
      }
      try (whole) {
        return part(image, whole);
      }
    } catch (KernelException e) {
      throw failed(image, String.valueOf(e.getMessage()), Optional.of(e));
    }
  }

  private Fd tree(MountSource.Image image, Optional<Fd> userNamespace, String label) {
    if (image.layers().size() == 1 && label.isEmpty()) {
      return layer(image.layers().getFirst(), userNamespace);
    }
    // An overlay cannot be idmapped, its layers can.
    List<Fd> made = new ArrayList<>();
    try {
      List<Layer> layers = new ArrayList<>();
      for (Path path : image.layers()) {
        if (userNamespace.isPresent()) {
          made.add(layer(path, userNamespace));
          layers.add(Layer.of(made.getLast()));
        } else {
          layers.add(Layer.of(path));
        }
      }
      if (layers.size() == 1) {
        // One layer alone makes no overlay, and a label is an overlay's to give.
        made.add(kernel.mounts().tmpfs(Map.of("size", "4096", "mode", "755"), 0));
        layers.add(Layer.of(made.getLast()));
      }
      return kernel.mounts().overlay(OverlayOptions.readOnly(layers).labelled(label));
    } finally {
      made.forEach(Fd::close);
    }
  }

  private Fd layer(Path path, Optional<Fd> userNamespace) {
    Fd mount = kernel.mounts().bindClone(path, false);
    try {
      if (userNamespace.isPresent()) {
        kernel
            .mounts()
            .setAttributes(mount, MountAttributes.NONE.idmapped(userNamespace.get()), false);
      }
      return mount;
    } catch (Throwable e) {
      mount.close();
      throw e;
    }
  }

  private Fd part(MountSource.Image image, Fd whole) {
    String subPath = image.subPath();
    if (subPath.startsWith("/") || subPath.indexOf('\0') >= 0 || hasDots(subPath)) {
      throw failed(
          image,
          "sub-path \"%s\" is no relative path without \"..\""
              .formatted(subPath.replace('\0', '?')),
          Optional.empty());
    }
    try {
      return clone(image, whole);
    } catch (KernelException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
    }
    // Before Linux 6.15 only what is attached can be cloned.
    return kernel.mounts().whileAttached(List.of(whole), () -> clone(image, whole));
  }

  private Fd clone(MountSource.Image image, Fd whole) {
    Fd found;
    try {
      found = kernel.files().openat2(whole, image.subPath(), OpenHow.inRoot(OpenFlags.O_PATH));
    } catch (KernelException e) {
      throw failed(
          image,
          "sub-path \"%s\": %s".formatted(image.subPath(), e.errno().description()),
          Optional.of(e));
    }
    try (found) {
      return kernel.mounts().bindClone(found, false);
    }
  }

  private static boolean hasDots(String path) {
    for (String part : path.split("/")) {
      if (part.equals("..")) {
        return true;
      }
    }
    return false;
  }

  private static JrtException failed(
      MountSource.Image image, String why, Optional<KernelException> cause) {
    return new JrtException(
        ErrorKind.FAILED_PRECONDITION,
        STEP,
        "ImageVolumeMountFailed: image %s: %s".formatted(image.reference(), why),
        cause.orElse(null));
  }
}
