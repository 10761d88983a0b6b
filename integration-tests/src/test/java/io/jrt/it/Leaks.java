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

  /** What there is now that a daemon with this home could have made. */
  static Leaks now(Path home) {
    Set<String> mounts = mountPoints();
    mounts.removeIf(mount -> mount.startsWith("/tmp/jrt-") && !mount.startsWith(home + "/"));
    // Those of other daemons that people have on this machine.
    mounts.removeIf(
        mount ->
            mount.matches(".*/(pods|containers)/[0-9a-f]{64}/.*") && !mount.startsWith(home + "/"));
    String instance = instance(home.resolve("root"));
    Set<String> cgroups = cgroupDirectories();
    cgroups.removeIf(path -> path.contains("/jrt-") && !path.contains("/jrt-" + instance));
    // systemd's: the slice that those of all daemons lie in, and services that it starts meanwhile.
    cgroups.removeIf(path -> path.endsWith("/jrt.slice") || path.contains("/system.slice/"));
    Set<String> interfaces = interfaceNames();
    interfaces.removeIf(name -> name.startsWith("jrt-") && !name.equals("jrt-" + instance));
    interfaces.removeIf(name -> name.startsWith("jv") && !master(name).equals("jrt-" + instance));
    return new Leaks(mounts, cgroups, interfaces, helperProcesses(home));
  }

  /** The name by which a daemon tells its things from those of another. */
  static String instance(Path root) {
    return Long.toString(
        Integer.toUnsignedLong(root.toAbsolutePath().normalize().toString().hashCode()),
        Character.MAX_RADIX);
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

  /** The bridge that an interface is a port of. */
  private static String master(String name) {
    try {
      Path master = Files.readSymbolicLink(Path.of("/sys/class/net/" + name + "/master"));
      return String.valueOf(master.getFileName());
    } catch (IOException e) {
      return ""; // of none, or gone
    }
  }

  /** Processes of {@code jrt-init} that hold something below a home: its keepers do, by a lock. */
  private static Set<String> helperProcesses(Path home) {
    Set<String> pids = new TreeSet<>();
    ProcessHandle.allProcesses()
        .filter(process -> comm(process.pid()).startsWith("jrt-") && holds(process.pid(), home))
        .forEach(process -> pids.add(process.pid() + " " + comm(process.pid())));
    return pids;
  }

  private static boolean holds(long pid, Path home) {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      for (Path descriptor : (Iterable<Path>) descriptors::iterator) {
        if (Files.readSymbolicLink(descriptor).toString().startsWith(home + "/")) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      return false; // ended while we looked
    }
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
