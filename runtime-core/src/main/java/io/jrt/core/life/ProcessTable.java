package io.jrt.core.life;

import io.jrt.core.ProcessCounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/** What /proc tells of processes; one that ends meanwhile does not count. */
final class ProcessTable {
  private ProcessTable() {}

  static ProcessCounts count(Set<Integer> pids) {
    ProcessCounts sum = new ProcessCounts(0, 0, 0, 0);
    for (int pid : pids) {
      sum = plus(sum, Path.of("/proc", Integer.toString(pid)));
    }
    return sum;
  }

  private static ProcessCounts plus(ProcessCounts sum, Path process) {
    try (Stream<Path> tasks = Files.list(process.resolve("task"));
        Stream<Path> open = Files.list(process.resolve("fd"))) {
      long threads = tasks.count();
      long descriptors = 0;
      long sockets = 0;
      for (Path descriptor : (Iterable<Path>) open::iterator) {
        descriptors++;
        sockets += isSocket(descriptor) ? 1 : 0;
      }
      return new ProcessCounts(
          sum.processes() + 1,
          sum.threads() + threads,
          sum.fileDescriptors() + descriptors,
          sum.sockets() + sockets);
    } catch (IOException | UncheckedIOException ended) {
      return sum;
    }
  }

  /** How many files a process may have open (the soft limit); empty when it has ended. */
  static OptionalLong openFilesLimit(long pid) {
    String name = "Max open files";
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "limits")).stream()
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(name.length()).strip().split("\\s+")[0])
          .filter(soft -> soft.matches("\\d{1,18}"))
          .mapToLong(Long::parseLong)
          .findFirst();
    } catch (IOException ended) {
      return OptionalLong.empty();
    }
  }

  private static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (IOException closed) {
      return false;
    }
  }
}
