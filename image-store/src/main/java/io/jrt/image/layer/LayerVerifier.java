package io.jrt.image.layer;

import io.jrt.errors.JrtException;
import io.jrt.linux.At;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Stat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/** Compares a layer on the disk with the list of files that was written when it was unpacked. */
public final class LayerVerifier {
  private LayerVerifier() {}

  /**
   * What is wrong with a layer, in one sentence; empty when nothing is.
   *
   * @param directory that holds the layer and its list
   */
  public static Optional<String> damage(Files files, Path directory) {
    var nodes = new TreeMap<String, TreeIndex.Node>();
    try {
      TreeIndex.read(directory.resolve(LayerUnpacker.INDEX), node -> take(nodes, node));
    } catch (IOException | JrtException e) {
      return Optional.of("its list of files cannot be read: " + e.getMessage());
    }
    byte[] buffer = new byte[256 << 10];
    try (Fd root = files.openDirectory(directory.resolve(LayerUnpacker.ROOT))) {
      for (TreeIndex.Node node : nodes.values()) {
        if (!isWhole(files, root, node, buffer)) {
          return Optional.of("'" + LayerPath.shown(node.path()) + "' is not as it was unpacked");
        }
      }
    } catch (KernelException e) {
      return Optional.of("it cannot be read: " + e.getMessage());
    }
    return Optional.empty();
  }

  private static void take(NavigableMap<String, TreeIndex.Node> nodes, TreeIndex.Node node) {
    if (node.kind() == TreeIndex.Kind.REMOVED) {
      nodes.remove(node.path());
      // '0' follows '/': all that begins with the path and a slash.
      nodes.subMap(node.path() + "/", node.path() + "0").clear();
    } else {
      nodes.put(node.path(), node);
    }
  }

  private static boolean isWhole(Files files, Fd root, TreeIndex.Node node, byte[] buffer) {
    byte[] path = LayerPath.bytes(node.path().isEmpty() ? "." : node.path());
    return switch (node.kind()) {
      case DIRECTORY -> stat(files, root, path).filter(Stat::isDirectory).isPresent();
      case SYMLINK ->
          stat(files, root, path).filter(Stat::isSymlink).isPresent()
              && crc(target(files, root, path)) == node.crc();
      case FILE -> {
        Optional<Stat> stat = stat(files, root, path).filter(Stat::isRegular);
        yield stat.isPresent()
            && stat.get().size() == node.size()
            && crc(files, root, path, buffer) == node.crc();
      }
      case HARD_LINK, OTHER -> stat(files, root, path).isPresent();
      case REMOVED -> true;
    };
  }

  /** Entries may have been written through a link inside the layer; the same way is taken here. */
  private static Optional<Stat> stat(Files files, Fd root, byte[] path) {
    try (Fd fd =
        files.openat2(root, path, OpenHow.inRoot(OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW))) {
      return Optional.of(files.fstatat(fd, "", At.AT_EMPTY_PATH));
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static int crc(Files files, Fd root, byte[] path, byte[] buffer) {
    var crc = new CRC32C();
    try (Fd fd =
        files.openat2(
            root,
            path,
            OpenHow.inRoot(OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW | OpenFlags.O_NONBLOCK))) {
      int count;
      while ((count = files.read(fd, buffer, 0, buffer.length)) > 0) {
        crc.update(buffer, 0, count);
      }
    }
    return (int) crc.getValue();
  }

  private static byte[] target(Files files, Fd root, byte[] path) {
    try (Fd fd =
        files.openat2(root, path, OpenHow.inRoot(OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW))) {
      return files.readlinkat(fd, new byte[0]);
    }
  }

  private static int crc(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes, 0, bytes.length);
    return (int) crc.getValue();
  }
}
