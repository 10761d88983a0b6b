package io.jrt.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/**
 * A cgroup in each hierarchy, as an administrator makes one for a kubelet's {@code --cgroup-root}.
 *
 * @param name its path below each hierarchy
 * @param made the directories
 */
record KubeletCgroup(String name, List<Path> made) {
  static KubeletCgroup make(String name) throws IOException {
    List<Path> made = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String[] fields = line.split(" ");
      if (!fields[2].equals("cgroup") && !fields[2].equals("cgroup2")) {
        continue;
      }
      Path parent = Path.of(fields[1]);
      Path group = parent.resolve(name);
      if (Files.exists(group)) {
        continue;
      }
      Files.createDirectory(group);
      made.add(group);
      for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
        if (Files.exists(parent.resolve(file)) && Files.exists(group.resolve(file))) {
          Files.writeString(group.resolve(file), Files.readString(parent.resolve(file)));
        }
      }
    }
    return new KubeletCgroup(name, made);
  }

  /** Removes them with what the kubelet has made below; the processes in it are gone. */
  void remove() throws IOException {
    for (Path group : made) {
      List<Path> groups = new ArrayList<>();
      try (Stream<Path> tree = Files.find(group, 9, (_, kind) -> kind.isDirectory())) {
        tree.forEach(groups::add);
      }
      Collections.reverse(groups);
      for (Path each : groups) {
        Files.delete(each);
      }
    }
  }
}
