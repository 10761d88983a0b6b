package io.jrt.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What a daemon may leave behind on a machine: processes, mounts, cgroups, interfaces. Taken before
 * and after, the difference is a leak.
 *
 * @param mounts mount points
 * @param cgroups directories below the cgroup file systems
 * @param interfaces network interfaces of the machine's own namespace
 * @param helpers process ids of {@code jrt-init}
 */
record Leaks(Set<String> mounts, Set<String> cgroups, Set<String> interfaces, Set<String> helpers) {

  static Leaks now() {
    return new Leaks(mountPoints(), cgroupDirectories(), interfaceNames(), helperProcesses());
  }

  /** What is here that was not there. */
  List<String> since(Leaks before) {
    List<String> leaks = new ArrayList<>();
    add(leaks, "mount ", mounts, before.mounts);
    add(leaks, "cgroup ", cgroups, before.cgroups);
    add(leaks, "interface ", interfaces, before.interfaces);
    add(leaks, "jrt-init process ", helpers, before.helpers);
    return leaks;
  }

  private static void add(List<String> leaks, String what, Set<String> now, Set<String> before) {
    for (String thing : now) {
      if (!before.contains(thing)) {
        leaks.add(what + thing);
      }
    }
  }

  private static Set<String> mountPoints() {
    Set<String> mounts = new TreeSet<>();
    for (String line : lines(Path.of("/proc/self/mounts"))) {
      mounts.add(line.split(" ")[1]);
    }
    return mounts;
  }

  private static Set<String> cgroupDirectories() {
    Set<String> cgroups = new TreeSet<>();
    for (String line : lines(Path.of("/proc/self/mounts"))) {
      String[] fields = line.split(" ");
      if (fields[2].equals("cgroup") || fields[2].equals("cgroup2")) {
        directories(Path.of(fields[1]), cgroups);
      }
    }
    return cgroups;
  }

  private static void directories(Path directory, Set<String> into) {
    try (Stream<Path> children = Files.list(directory)) {
      for (Path child : (Iterable<Path>) children::iterator) {
        if (Files.isDirectory(child)) {
          into.add(child.toString());
          directories(child, into);
        }
      }
    } catch (NoSuchFileException e) {
      into.remove(directory.toString()); // went while we looked
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> interfaceNames() {
    try (Stream<Path> names = Files.list(Path.of("/sys/class/net"))) {
      return new TreeSet<>(names.map(path -> path.getFileName().toString()).toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> helperProcesses() {
    Set<String> pids = new TreeSet<>();
    ProcessHandle.allProcesses()
        .filter(process -> comm(process.pid()).startsWith("jrt-"))
        .forEach(process -> pids.add(process.pid() + " " + comm(process.pid())));
    return pids;
  }

  private static String comm(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
    } catch (IOException e) {
      return ""; // ended while we looked
    }
  }

  private static List<String> lines(Path path) {
    try {
      return Files.readAllLines(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
