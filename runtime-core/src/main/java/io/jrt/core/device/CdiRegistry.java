package io.jrt.core.device;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The CDI devices of the node: those of the spec files, and those that the node's own discovery
 * finds and no file has.
 *
 * <p>The directories are listed with each question and files read that changed since. A file that
 * cannot be used takes only its own devices away.
 */
public final class CdiRegistry {
  private static final String STEP = "find cdi devices";

  private final List<Path> directories;
  private final Supplier<List<CdiSpec>> discovery;
  private final Map<Path, Cached> cache = new HashMap<>();

  private record Cached(
      FileTime modified, long size, Object key, Optional<CdiSpec> spec, String problem) {}

  /** A device that may be injected, with the spec it is of. */
  public record Found(CdiName name, CdiSpec spec, CdiSpec.Device device) {}

  /**
   * What the files say.
   *
   * @param devices by full name, in order
   * @param conflicts devices that two files of one directory have, with the sentence that says so
   * @param problems a sentence for each file that cannot be used
   */
  public record Contents(
      Map<String, Found> devices, Map<String, String> conflicts, List<String> problems) {}

  /**
   * @param directories the later ones win
   * @param discovery specs of what was found on the node, asked only for names no file has
   */
  public CdiRegistry(List<Path> directories, Supplier<List<CdiSpec>> discovery) {
    this.directories = List.copyOf(directories);
    this.discovery = discovery;
  }

  /** All devices, the discovered ones included. */
  public Contents contents() {
    Contents files = files();
    Map<String, Found> devices = new TreeMap<>(files.devices);
    for (Found found : discovered().values()) {
      if (!files.conflicts.containsKey(found.name().toString())) {
        devices.putIfAbsent(found.name().toString(), found);
      }
    }
    return new Contents(devices, files.conflicts, files.problems);
  }

  /** Finds devices by their full names; each once, in the order asked for. */
  public List<Found> find(List<String> names) {
    Set<String> wanted = new LinkedHashSet<>(names);
    wanted.forEach(CdiName::parse);
    if (wanted.isEmpty()) {
      return List.of();
    }
    Contents contents = files();
    Map<String, Found> discovered =
        contents.devices.keySet().containsAll(wanted) ? Map.of() : discovered();
    List<Found> found = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (String name : wanted) {
      String conflict = contents.conflicts.get(name);
      if (conflict != null) {
        throw new JrtException(ErrorKind.FAILED_PRECONDITION, STEP, conflict);
      }
      Found device = contents.devices.getOrDefault(name, discovered.get(name));
      if (device == null) {
        unknown.add(name);
      } else {
        found.add(device);
      }
    }
    if (!unknown.isEmpty()) {
      String broken =
          contents.problems.isEmpty() ? "" : "; unusable: " + String.join("; ", contents.problems);
      throw new JrtException(
          ErrorKind.NOT_FOUND,
          STEP,
          "unresolvable cdi devices %s: no spec in %s has them%s"
              .formatted(String.join(", ", unknown), directories, broken),
          "jrt cdi list shows all that are known",
          null);
    }
    return found;
  }

  /** Whether there is any device of a kind. */
  boolean hasKind(String kind) {
    return contents().devices().values().stream().anyMatch(each -> each.spec().kind().equals(kind));
  }

  private Map<String, Found> discovered() {
    Map<String, Found> devices = new LinkedHashMap<>();
    for (CdiSpec spec : discovery.get()) {
      for (CdiSpec.Device device : spec.devices()) {
        CdiName name = CdiName.parse(spec.kind() + "=" + device.name());
        devices.putIfAbsent(name.toString(), new Found(name, spec, device));
      }
    }
    return devices;
  }

  private synchronized Contents files() {
    Map<String, Found> devices = new TreeMap<>();
    Map<String, String> conflicts = new TreeMap<>();
    List<String> problems = new ArrayList<>();
    Set<Path> seen = new LinkedHashSet<>();
    for (Path directory : directories) {
      Map<String, Found> here = new LinkedHashMap<>();
      Map<String, String> clashes = new LinkedHashMap<>();
      for (Path file : list(directory, problems)) {
        seen.add(file);
        Cached cached = load(file);
        if (!cached.problem.isEmpty()) {
          problems.add(cached.problem);
        }
        cached.spec.ifPresent(spec -> add(spec, here, clashes));
      }
      // What a directory of higher rank says anew replaces both a device and a conflict about it.
      here.keySet().forEach(conflicts::remove);
      devices.putAll(here);
      clashes.keySet().forEach(devices::remove);
      conflicts.putAll(clashes);
    }
    cache.keySet().retainAll(seen);
    return new Contents(devices, conflicts, problems);
  }

  private static void add(CdiSpec spec, Map<String, Found> here, Map<String, String> clashes) {
    for (CdiSpec.Device device : spec.devices()) {
      CdiName name = CdiName.parse(spec.kind() + "=" + device.name());
      Found before = here.put(name.toString(), new Found(name, spec, device));
      if (before != null) {
        clashes.put(
            name.toString(),
            "cdi device %s is in conflict: both %s and %s have it"
                .formatted(name, before.spec.origin(), spec.origin()));
      }
    }
  }

  private static List<Path> list(Path directory, List<String> problems) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        if ((name.endsWith(".json") || name.endsWith(".yaml")) && Files.isRegularFile(entry)) {
          files.add(entry);
        }
      }
    } catch (NoSuchFileException | NotDirectoryException nothingThere) {
      return List.of();
    } catch (IOException e) {
      problems.add("cdi directory %s cannot be listed: %s".formatted(directory, e));
    }
    files.sort(null);
    return files;
  }

  private Cached load(Path file) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      Object key = String.valueOf(attributes.fileKey());
      Cached before = cache.get(file);
      if (before != null
          && before.modified.equals(attributes.lastModifiedTime())
          && before.size == attributes.size()
          && before.key.equals(key)) {
        return before;
      }
      Cached now = read(file, attributes, key);
      cache.put(file, now);
      return now;
    } catch (IOException e) {
      return new Cached(
          FileTime.fromMillis(0), 0, "", Optional.empty(), "cdi spec " + file + ": " + e);
    }
  }

  private static Cached read(Path file, BasicFileAttributes attributes, Object key) {
    Optional<CdiSpec> spec = Optional.empty();
    String problem = "";
    try {
      spec = Optional.of(CdiSpecReader.read(file));
    } catch (JrtException e) {
      problem = String.valueOf(e.getMessage());
    }
    return new Cached(attributes.lastModifiedTime(), attributes.size(), key, spec, problem);
  }
}
