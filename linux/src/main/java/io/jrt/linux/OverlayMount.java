package io.jrt.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes one overlay. Layers are always named by a descriptor opened here or given: fsconfig cuts
 * strings at 256 bytes, and the old option string needs escapes and must fit in a page, but {@code
 * /proc/self/fd/N} is short and plain whatever the path.
 */
final class OverlayMount {
  private static final int MAX_OPTION_STRING = 4095;

  private final Files files;
  private final Mounts mounts;
  private final OverlayOptions options;

  OverlayMount(Files files, Mounts mounts, OverlayOptions options) {
    if (options.lower().isEmpty()) {
      throw new KernelException("fsconfig", Errno.EINVAL, "overlay without a lower directory");
    }
    this.files = files;
    this.mounts = mounts;
    this.options = options;
  }

  Fd make() {
    List<Fd> opened = new ArrayList<>();
    try {
      List<String> lower = new ArrayList<>(options.lower().size());
      for (Layer layer : options.lower()) {
        lower.add(pathOf(layer, opened));
      }
      List<String> upper = new ArrayList<>(2);
      options
          .upper()
          .ifPresent(
              writable -> {
                upper.add(pathOf(Layer.of(writable.directory()), opened));
                upper.add(pathOf(Layer.of(writable.work()), opened));
              });
      try (FsContext context = mounts.fsopen("overlay")) {
        if (!takesLayersOneByOne(context, lower.getFirst())) {
          return byOptionString(lower, upper);
        }
        for (String layer : lower.subList(1, lower.size())) {
          context.string("lowerdir+", layer);
        }
        if (!upper.isEmpty()) {
          context.string("upperdir", upper.get(0)).string("workdir", upper.get(1));
        }
        context.string("source", options.source());
        context.string("index", "off").string("metacopy", "off");
        if (options.isVolatile()) {
          context.flag("volatile");
        }
        if (options.userxattr()) {
          context.flag("userxattr");
        }
        return context.create().mount(0);
      }
    } finally {
      opened.forEach(Fd::close);
    }
  }

  private String pathOf(Layer layer, List<Fd> opened) {
    return switch (layer) {
      case Layer.OfFd(Fd fd) -> fd.procPath();
      case Layer.OfPath(Path path) -> {
        Fd fd = files.open(path, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY);
        opened.add(fd);
        yield fd.procPath();
      }
    };
  }

  private static boolean takesLayersOneByOne(FsContext context, String first) {
    try {
      context.string("lowerdir+", first);
      return true;
    } catch (KernelException e) {
      // Before Linux 6.5 the key is unknown. Any other reason shows again in the other way.
      if (e.is(Errno.EINVAL)) {
        return false;
      }
      throw e;
    }
  }

  /** For Linux before 6.5: mounted on a directory of its own, cloned from there and unmounted. */
  Fd byOptionString(List<String> lower, List<String> upper) {
    StringBuilder data = new StringBuilder("lowerdir=").append(String.join(":", lower));
    if (!upper.isEmpty()) {
      data.append(",upperdir=").append(upper.get(0)).append(",workdir=").append(upper.get(1));
    }
    data.append(",index=off,metacopy=off");
    if (options.isVolatile()) {
      data.append(",volatile");
    }
    if (options.userxattr()) {
      data.append(",userxattr");
    }
    if (data.length() > MAX_OPTION_STRING) {
      throw new KernelException(
          "mount", Errno.E2BIG, "overlay of " + lower.size() + " layers, which needs Linux 6.5");
    }
    try {
      Path place = java.nio.file.Files.createTempDirectory("jrt-overlay");
      try {
        mounts.mount(options.source(), place.toString(), "overlay", 0, data.toString());
        try {
          return mounts.bindClone(place, false);
        } finally {
          mounts.detach(place);
        }
      } finally {
        java.nio.file.Files.delete(place);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("temporary mount point of an overlay", e);
    }
  }
}
