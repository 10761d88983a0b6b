package io.jrt.network.cni;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network configuration in effect: the first valid file, by name, of the first directory that
 * has one. The directories are looked at again whenever somebody asks, which costs microseconds as
 * long as nothing has changed.
 */
final class ConfigDirs {
  private static final Logger LOG = LoggerFactory.getLogger(ConfigDirs.class);

  private final List<Path> directories;
  private @Nullable List<String> seen;
  private @Nullable NetworkList current;
  private String problem = "";

  ConfigDirs(List<Path> directories) {
    this.directories = List.copyOf(directories);
  }

  /**
   * The network in effect. While a file is half written the last good one stays; when there is no
   * file any more there is no network.
   */
  synchronized Optional<NetworkList> current() {
    List<Path> files = files();
    List<String> now = files.stream().map(ConfigDirs::fingerprint).toList();
    if (!now.equals(seen)) {
      reload(files);
      seen = now;
    }
    return Optional.ofNullable(current);
  }

  /** Why there is no network, or why the files there are were not taken; "" if all is well. */
  synchronized String problem() {
    return problem;
  }

  private void reload(List<Path> files) {
    List<String> problems = new ArrayList<>();
    NetworkList found = null;
    for (Path file : files) {
      try {
        found = NetworkList.read(file);
        break;
      } catch (NetworkList.Malformed e) {
        problems.add(file + ": " + e.getMessage());
      }
    }
    if (files.isEmpty()) {
      problems.add("no network configuration in " + directories);
      current = null;
    }
    problem = String.join("; ", problems);
    if (found != null) {
      if (current == null || !current.text().equals(found.text())) {
        LOG.info("pods use network {}", found.name());
      }
      current = found;
    }
    if (!problem.isEmpty()) {
      LOG.warn("network configuration: {}", problem);
    }
  }

  private List<Path> files() {
    List<Path> files = new ArrayList<>();
    for (Path directory : directories) {
      TreeSet<Path> sorted = new TreeSet<>();
      try (DirectoryStream<Path> found =
          Files.newDirectoryStream(directory, "*.{conflist,conf,json}")) {
        found.forEach(sorted::add);
      } catch (IOException e) {
        continue; // a directory that does not exist yet
      }
      files.addAll(sorted);
    }
    return files;
  }

  private static String fingerprint(Path file) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return file + "\n" + attributes.lastModifiedTime() + "\n" + attributes.size();
    } catch (IOException e) {
      return file.toString();
    }
  }
}
