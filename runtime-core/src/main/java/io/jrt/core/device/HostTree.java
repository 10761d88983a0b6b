package io.jrt.core.device;

import io.jrt.core.device.CdiEdits.Mount;
import io.jrt.core.device.CdiEdits.Node;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The node's files as seen from a root directory: paths are those below it, absolute, and links are
 * resolved inside it. What cannot be read is as if it were not there: a driver may go at any time.
 */
record HostTree(Path root) {
  private static final int MOST_LINKS = 40;

  /** Where a path of the tree really lies. */
  Path on(String path) {
    return root.resolve(path.startsWith("/") ? path.substring(1) : path);
  }

  boolean exists(String path) {
    return resolve(path).isPresent();
  }

  /** The path without symbolic links, if it leads to something. */
  Optional<String> resolve(String path) {
    Path now = Path.of(path).normalize();
    for (int links = 0; links < MOST_LINKS; links++) {
      Optional<Path> next = follow(now);
      if (next.isEmpty()) {
        return Files.exists(on(now.toString()), LinkOption.NOFOLLOW_LINKS)
            ? Optional.of(now.toString())
            : Optional.empty();
      }
      now = next.get();
    }
    return Optional.empty();
  }

  /** The path with its first symbolic link replaced. */
  private Optional<Path> follow(Path path) {
    for (int parts = 1; parts <= path.getNameCount(); parts++) {
      Path part = Path.of("/").resolve(path.subpath(0, parts));
      Path real = on(part.toString());
      if (Files.isSymbolicLink(real)) {
        try {
          Path target = part.resolveSibling(Files.readSymbolicLink(real));
          Path rest =
              parts == path.getNameCount()
                  ? target
                  : target.resolve(path.subpath(parts, path.getNameCount()));
          return Optional.of(rest.normalize());
        } catch (IOException e) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  /** Names in a directory, sorted. */
  List<String> list(String directory) {
    List<String> names = new ArrayList<>();
    Optional<String> real = resolve(directory);
    if (real.isEmpty()) {
      return names;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(on(real.get()))) {
      entries.forEach(entry -> names.add(entry.getFileName().toString()));
    } catch (IOException e) {
      return List.of();
    }
    names.sort(LoaderCache::compare);
    return names;
  }

  /** A small file as text, or empty. */
  String text(String path) {
    try {
      Optional<String> real = resolve(path);
      return real.isEmpty() ? "" : Files.readString(on(real.get())).strip();
    } catch (IOException e) {
      return "";
    }
  }

  byte[] bytes(String path) {
    try {
      Optional<String> real = resolve(path);
      return real.isEmpty() ? new byte[0] : Files.readAllBytes(on(real.get()));
    } catch (IOException e) {
      return new byte[0];
    }
  }

  /** The value of a line {@code key: value}. */
  static String field(String text, String key) {
    return text.lines()
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(key.length()).strip())
        .filter(rest -> rest.startsWith(":"))
        .map(rest -> rest.substring(1).strip())
        .findFirst()
        .orElse("");
  }

  /** A device file at the same path in the container. */
  Node node(String path) {
    Node node = Node.of(path);
    return root.equals(Path.of("/"))
        ? node
        : new Node(
            path,
            on(path).toString(),
            "",
            node.major(),
            node.minor(),
            node.mode(),
            "",
            node.uid(),
            node.gid());
  }

  /** Where paths of the tree really lie. */
  List<String> on(List<String> paths) {
    return paths.stream().map(path -> on(path).toString()).toList();
  }

  /** A file of the tree, without its links, at a path in the container. */
  Mount mount(String real, String inside) {
    return Mount.readOnly(on(real).toString(), inside);
  }
}
