package io.jrt.image.layer;

import io.jrt.linux.At;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import io.jrt.linux.Files;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Stat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks up paths in layers as overlayfs would show them, without mounting anything. No symbolic
 * link is followed.
 */
final class MergedView implements AutoCloseable {
  private static final String OVERLAY_OPAQUE = "trusted.overlay.opaque";

  /** What was found: in which layer, and what it is. */
  record Found(Fd layer, Stat stat) {}

  private final Files files;
  private final List<Fd> layers = new ArrayList<>();

  /**
   * @param roots the top one first
   */
  MergedView(Files files, List<Path> roots) {
    this.files = files;
    try {
      for (Path root : roots) {
        layers.add(files.openDirectory(root));
      }
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /** What a path is; empty when no layer shows it. The empty path is the root. */
  Optional<Found> find(String path) {
    List<Fd> visible = layers;
    if (path.isEmpty()) {
      return layers.isEmpty()
          ? Optional.empty()
          : Optional.of(new Found(layers.getFirst(), files.fstat(layers.getFirst())));
    }
    int at = 0;
    while (true) {
      int slash = path.indexOf('/', at);
      String prefix = slash < 0 ? path : path.substring(0, slash);
      Found first = null;
      var below = new ArrayList<Fd>();
      for (Fd layer : visible) {
        Optional<Stat> there = stat(layer, prefix);
        if (there.isEmpty()) {
          continue;
        }
        Stat stat = there.get();
        boolean whiteout = (stat.mode() & FileMode.S_IFMT) == FileMode.S_IFCHR && stat.rdev() == 0;
        if (whiteout) {
          break;
        }
        if (first == null) {
          first = new Found(layer, stat);
        }
        if (!stat.isDirectory()) {
          break;
        }
        below.add(layer);
        if (isOpaque(layer, prefix)) {
          break;
        }
      }
      if (first == null || slash < 0) {
        return Optional.ofNullable(first);
      }
      if (below.isEmpty()) {
        return Optional.empty();
      }
      visible = below;
      at = slash + 1;
    }
  }

  /** Opens what was found for reading. */
  Fd open(Found found, String path) {
    return files.openat2(
        found.layer(),
        LayerPath.bytes(path.isEmpty() ? "." : path),
        OpenHow.beneathWithoutLinks(OpenFlags.O_RDONLY | OpenFlags.O_NONBLOCK));
  }

  private Optional<Stat> stat(Fd layer, String path) {
    // Every prefix was seen to be a directory of this layer before, so no link is followed.
    return files.statIfPresent(layer, LayerPath.bytes(path), At.AT_SYMLINK_NOFOLLOW);
  }

  private boolean isOpaque(Fd layer, String path) {
    return files
        .getxattrat(layer, LayerPath.bytes(path), OVERLAY_OPAQUE)
        .filter(value -> value.length == 1 && value[0] == 'y')
        .isPresent();
  }

  @Override
  public void close() {
    layers.forEach(Fd::close);
  }
}
