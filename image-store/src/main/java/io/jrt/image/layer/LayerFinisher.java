package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.At;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Stat;
import io.jrt.linux.Timespec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Completes an unpacked layer by what the layers below it have: directories that its tar did not
 * list get the owner, mode and time that they have there, and hard links to files of lower layers
 * get a copy of them. Layers are unpacked in any order; this runs once those below are complete.
 */
public final class LayerFinisher {
  private static final byte[] SELF = new byte[0];

  private final Files files;
  private final Path root;
  private final LayerWriter.Unfinished unfinished;

  LayerFinisher(Files files, Path root, LayerWriter.Unfinished unfinished) {
    this.files = files;
    this.root = root;
    this.unfinished = unfinished;
  }

  /** Whether there is nothing to complete. */
  public boolean isComplete() {
    return unfinished.implicitDirectories().isEmpty() && unfinished.deferredLinks().isEmpty();
  }

  /**
   * Completes the layer.
   *
   * @param lower roots of the layers below, the top one first
   */
  public void finish(List<Path> lower) {
    if (isComplete()) {
      return;
    }
    try (Fd layer = files.openDirectory(root);
        var view = new MergedView(files, lower)) {
      for (String path : unfinished.implicitDirectories()) {
        view.find(path)
            .filter(found -> found.stat().isDirectory())
            .ifPresent(found -> adopt(layer, path, found.stat()));
      }
      try (var directories =
          new DirectoryCache(
              files,
              layer,
              path ->
                  view.find(path)
                      .filter(found -> found.stat().isDirectory())
                      .ifPresent(found -> adopt(layer, path, found.stat())))) {
        for (LayerWriter.DeferredLink link : unfinished.deferredLinks()) {
          link(directories, view, link);
        }
      }
    }
  }

  private void adopt(Fd layer, String path, Stat from) {
    try (Fd fd =
        files.openat2(
            layer,
            LayerPath.bytes(path.isEmpty() ? "." : path),
            OpenHow.beneathWithoutLinks(OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY))) {
      files.fchown(fd, from.uid(), from.gid());
      files.fchmod(fd, from.permissions());
      files.utimensat(fd, SELF, Timespec.OMIT, from.modified(), 0);
    } catch (KernelException e) {
      // A later entry of the tar put something else there.
      if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
        throw e;
      }
    }
  }

  private void link(DirectoryCache directories, MergedView view, LayerWriter.DeferredLink link) {
    byte[] target = LayerPath.bytes(LayerPath.last(link.target()));
    byte[] name = LayerPath.bytes(LayerPath.last(link.path()));
    String targetParent = LayerPath.parent(link.target());
    Fd here = directories.existing(targetParent);
    boolean present =
        here != null && files.statIfPresent(here, target, At.AT_SYMLINK_NOFOLLOW).isPresent();
    if (!present) {
      Optional<MergedView.Found> found = view.find(link.target());
      if (found.isEmpty() || !found.get().stat().isRegular()) {
        throw new JrtException(
            ErrorKind.INVALID,
            "unpack layer",
            "the entry '"
                + LayerPath.shown(link.path())
                + "' of a layer is a hard link to '"
                + LayerPath.shown(link.target())
                + "', which is no file of this image");
      }
      copyUp(view, found.get(), link.target(), directories.directory(targetParent), target);
    }
    try (Fd from = files.dup(directories.directory(targetParent))) {
      Fd to = directories.directory(LayerPath.parent(link.path()));
      files.removeTree(to, name, false);
      files.linkat(from, target, to, name, 0);
    } catch (KernelException e) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "the hard link '" + LayerPath.shown(link.path()) + "' of a layer cannot be made",
          e);
    }
  }

  private void copyUp(
      MergedView view, MergedView.Found found, String path, Fd parent, byte[] name) {
    try (Fd from = view.open(found, path);
        Fd to =
            files.openat(
                parent,
                name,
                OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_NOFOLLOW,
                0600)) {
      long left = found.stat().size();
      while (left > 0) {
        long count = files.copyFileRange(from, to, left);
        if (count == 0) {
          break;
        }
        left -= count;
      }
      files.fchown(to, found.stat().uid(), found.stat().gid());
      files.fchmod(to, found.stat().permissions());
      for (String xattr : files.flistxattr(from)) {
        if (!xattr.startsWith("trusted.")) {
          Optional<byte[]> value = files.fgetxattr(from, xattr);
          value.ifPresent(bytes -> files.fsetxattr(to, xattr, bytes));
        }
      }
      files.utimensat(to, SELF, Timespec.OMIT, found.stat().modified(), 0);
    }
  }
}
