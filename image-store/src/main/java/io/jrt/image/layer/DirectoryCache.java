package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Open directories of a layer, found by path. A path is resolved by the kernel as after a chroot
 * into the layer, so that links in it lead nowhere else; directories that are missing are made.
 */
final class DirectoryCache implements AutoCloseable {
  private static final int CAPACITY = 96;
  private static final int MAX_LINKS = 40;
  private static final int MAX_NESTING = 600;
  private static final int FLAGS = OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY;

  private final Files files;
  private final Fd root;
  private final Consumer<String> made;
  private int nesting;
  private final LinkedHashMap<String, Fd> open = new LinkedHashMap<>(CAPACITY, 0.75f, true);

  /**
   * @param root of the layer; stays the caller's
   * @param made is told of every directory that had to be made
   */
  DirectoryCache(Files files, Fd root, Consumer<String> made) {
    this.files = files;
    this.root = root;
    this.made = made;
  }

  /**
   * The directory of a path, made with all its parents if missing. The descriptor stays the
   * cache's, valid until the next call.
   */
  Fd directory(String path) {
    return directory(path, 0);
  }

  private Fd directory(String path, int links) {
    if (path.isEmpty()) {
      return root;
    }
    Fd known = open.get(path);
    if (known != null) {
      return known;
    }
    Fd fd = open(path);
    if (fd != null) {
      return keep(path, fd);
    }
    // Parents are made by recursion, through links too: a name must not decide over our stack.
    if (++nesting > MAX_NESTING) {
      nesting = 0;
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "a layer has directories nested more than " + MAX_NESTING + " deep");
    }
    fd = make(path, links);
    nesting--;
    return keep(path, fd);
  }

  /** The directory of a path if it is there; the descriptor stays the cache's. */
  @Nullable Fd existing(String path) {
    if (path.isEmpty()) {
      return root;
    }
    Fd known = open.get(path);
    if (known != null) {
      return known;
    }
    Fd fd = open(path);
    return fd == null ? null : keep(path, fd);
  }

  /** Takes a descriptor of a directory that was just made or opened. */
  void put(String path, Fd fd) {
    keep(path, fd);
  }

  private Fd keep(String path, Fd fd) {
    Fd old = open.put(path, fd);
    if (old != null) {
      old.close();
    }
    if (open.size() > CAPACITY) {
      Iterator<Fd> eldest = open.values().iterator();
      eldest.next().close();
      eldest.remove();
    }
    return fd;
  }

  private @Nullable Fd open(String path) {
    try {
      return files.openat2(root, LayerPath.bytes(path), OpenHow.inRoot(FLAGS));
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return null;
      }
      throw notADirectory(path, e);
    }
  }

  private Fd make(String path, int links) {
    Fd parent = directory(LayerPath.parent(path), links);
    String name = LayerPath.last(path);
    if (files.mkdirIfAbsent(parent, LayerPath.bytes(name), 0755)) {
      made.accept(path);
      return files.openat2(parent, LayerPath.bytes(name), OpenHow.beneathWithoutLinks(FLAGS));
    }
    // It was missing to the lookup yet the name is there: a link whose target is not (yet) here.
    if ((files.fstatat(parent, LayerPath.bytes(name), io.jrt.linux.At.AT_SYMLINK_NOFOLLOW).mode()
            & FileMode.S_IFMT)
        != FileMode.S_IFLNK) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "'" + LayerPath.shown(path) + "' in a layer is no directory");
    }
    if (links >= MAX_LINKS) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "too many symbolic links below '" + LayerPath.shown(path) + "' in a layer");
    }
    String target =
        new String(files.readlinkat(parent, LayerPath.bytes(name)), StandardCharsets.ISO_8859_1);
    directory(inRoot(LayerPath.parent(path), target), links + 1);
    Fd fd = open(path);
    if (fd == null) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "the symbolic link '" + LayerPath.shown(path) + "' in a layer leads nowhere");
    }
    return fd;
  }

  /** Where a link's target is, lexically, with the layer as root; what it makes is harmless. */
  private static String inRoot(String parent, String target) {
    String path = target.startsWith("/") ? "" : parent;
    for (String part : target.split("/")) {
      switch (part) {
        case "", "." -> {}
        case ".." -> path = LayerPath.parent(path);
        default -> path = LayerPath.child(path, part);
      }
    }
    return path;
  }

  /** Forgets everything: some directory or link was taken away. */
  void clear() {
    open.values().forEach(Fd::close);
    open.clear();
  }

  @Override
  public void close() {
    clear();
  }

  private static RuntimeException notADirectory(String path, KernelException e) {
    return e.is(Errno.ENOTDIR, Errno.ELOOP, Errno.ENAMETOOLONG, Errno.EXDEV)
        ? new JrtException(
            ErrorKind.INVALID,
            "unpack layer",
            "'" + LayerPath.shown(path) + "' in a layer is no directory",
            e)
        : e;
  }
}
