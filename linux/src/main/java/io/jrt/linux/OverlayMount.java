package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes one overlay. fsconfig takes strings of at most 255 bytes and gives some characters a
 * meaning; a layer whose path does not fit is opened and named {@code /proc/self/fd/N}, which is
 * short and plain whatever the path. Others keep their path, which people then see in /proc/mounts.
 */
final class OverlayMount {
  private static final int MAX_FSCONFIG_STRING = 256;
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
    try (FsContext context = mounts.fsopen("overlay")) {
      if (!lower(context, opened)) {
        return byOptionString();
      }
      options
          .upper()
          .ifPresent(
              writable -> {
                context.string("upperdir", name(Layer.of(writable.directory()), false, opened));
                context.string("workdir", name(Layer.of(writable.work()), false, opened));
              });
      context.string("source", options.source());
      context.string("index", "off").string("metacopy", "off");
      if (options.isVolatile()) {
        context.flag("volatile");
      }
      if (options.userxattr()) {
        context.flag("userxattr");
      }
      if (!options.label().isEmpty()) {
        context.string("context", options.label());
      }
      return context.create().mount(0);
    } finally {
      opened.forEach(Fd::close);
    }
  }

  private List<String> names(boolean byDescriptor, List<Fd> opened) {
    List<String> names = new ArrayList<>(options.lower().size());
    for (Layer layer : options.lower()) {
      names.add(name(layer, byDescriptor, opened));
    }
    return names;
  }

  private String name(Layer layer, boolean byDescriptor, List<Fd> opened) {
    return switch (layer) {
      case Layer.OfFd(Fd fd) -> fd.procPath();
      case Layer.OfPath(Path path) -> {
        String text = path.toString();
        if (!byDescriptor && isPlain(text)) {
          yield text;
        }
        Fd fd = files.open(path, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY);
        opened.add(fd);
        yield fd.procPath();
      }
    };
  }

  private static boolean isPlain(String path) {
    return path.getBytes(UTF_8).length < MAX_FSCONFIG_STRING
        && path.chars().noneMatch(c -> c == ':' || c == ',' || c == '\\');
  }

  /**
   * Gives the layers to the context: one by one, or before Linux 6.7 in one string.
   *
   * @return false if that string would be too long
   */
  private boolean lower(FsContext context, List<Fd> opened) {
    List<String> lower = names(false, opened);
    if (!takesAnything() && taken(context, "lowerdir+", lower.getFirst())) {
      for (String layer : lower.subList(1, lower.size())) {
        context.string("lowerdir+", layer);
      }
      return true;
    }
    for (boolean byDescriptor : new boolean[] {false, true}) {
      String all = String.join(":", names(byDescriptor, opened));
      if (all.getBytes(UTF_8).length < MAX_FSCONFIG_STRING) {
        context.string("lowerdir", all);
        return true;
      }
    }
    return false;
  }

  /**
   * Before Linux 6.5 overlay knows option strings only: the kernel collects whatever it is told and
   * overlay refuses it at the end, when it is too late to say it otherwise.
   */
  private boolean takesAnything() {
    try (FsContext probe = mounts.fsopen("overlay")) {
      return taken(probe, "jrt.no.such.option", "1");
    }
  }

  /** Any other reason than an unknown key shows again in the other way. */
  private static boolean taken(FsContext context, String key, String value) {
    try {
      context.string(key, value);
      return true;
    } catch (KernelException e) {
      if (e.is(Errno.EINVAL)) {
        return false;
      }
      throw e;
    }
  }

  /**
   * For many layers before Linux 6.7: mounted on a directory of its own, cloned from there and
   * unmounted.
   */
  Fd byOptionString() {
    List<Fd> opened = new ArrayList<>();
    try {
      return mountOnTemporary(optionString(opened));
    } finally {
      opened.forEach(Fd::close);
    }
  }

  private String optionString(List<Fd> opened) {
    List<String> lower = names(true, opened);
    StringBuilder data = new StringBuilder("lowerdir=").append(String.join(":", lower));
    options
        .upper()
        .ifPresent(
            writable -> {
              String upper = name(Layer.of(writable.directory()), true, opened);
              String work = name(Layer.of(writable.work()), true, opened);
              data.append(",upperdir=").append(upper).append(",workdir=").append(work);
            });
    data.append(",index=off,metacopy=off");
    if (options.isVolatile()) {
      data.append(",volatile");
    }
    if (options.userxattr()) {
      data.append(",userxattr");
    }
    if (!options.label().isEmpty()) {
      data.append(",context=\"").append(options.label()).append('"');
    }
    if (data.length() > MAX_OPTION_STRING) {
      throw new KernelException(
          "mount", Errno.E2BIG, "overlay of " + lower.size() + " layers, which needs Linux 6.7");
    }
    return data.toString();
  }

  private Fd mountOnTemporary(String data) {
    try {
      Path place = java.nio.file.Files.createTempDirectory("jrt-overlay");
      try {
        mounts.mount(options.source(), place.toString(), "overlay", 0, data);
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
