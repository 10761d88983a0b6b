package io.jrt.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A limit of how many threads and processes a daemon may have, by a cgroup of its own. Closing
 * lifts it, and takes the daemon and its children back to where they were.
 */
final class TaskLimit implements AutoCloseable {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");

  private final Path from;
  private final Path own;

  private TaskLimit(Path from, Path own) {
    this.from = from;
    this.own = own;
  }

  /** Not limiting yet. The test is skipped where nobody counts tasks. */
  static TaskLimit of(long pid) throws IOException {
    boolean legacy = Files.isDirectory(ROOT.resolve("pids"));
    Path top = legacy ? ROOT.resolve("pids") : ROOT;
    assumeTrue(
        legacy || Files.readString(ROOT.resolve("cgroup.controllers")).contains("pids"),
        "no cgroups that count tasks here");
    String key = legacy ? "pids" : "";
    String path =
        Files.readAllLines(Path.of("/proc", Long.toString(pid), "cgroup")).stream()
            .map(line -> line.split(":", 3))
            .filter(fields -> List.of(fields[1].split(",")).contains(key))
            .map(fields -> fields[2])
            .findFirst()
            .orElseThrow();
    if (!legacy) {
      Files.writeString(ROOT.resolve("cgroup.subtree_control"), "+pids");
    }
    Path own = Files.createDirectory(top.resolve("jrt-it-tasks-" + pid));
    TaskLimit limit = new TaskLimit(top.resolve(path.substring(1)), own);
    Files.writeString(own.resolve("cgroup.procs"), Long.toString(pid));
    return limit;
  }

  /** Lets so many more come to those that are there now. */
  void free(int more) throws IOException {
    long now = Long.parseLong(Files.readString(own.resolve("pids.current")).strip());
    Files.writeString(own.resolve("pids.max"), Long.toString(now + more));
  }

  @Override
  public void close() throws IOException {
    Files.writeString(own.resolve("pids.max"), "max");
    List<String> all = Files.readAllLines(own.resolve("cgroup.procs"));
    while (!all.isEmpty()) {
      for (String pid : all) {
        try {
          Files.writeString(from.resolve("cgroup.procs"), pid);
        } catch (IOException e) {
          if (Files.exists(Path.of("/proc", pid))) {
            throw e;
          }
        }
      }
      all = Files.readAllLines(own.resolve("cgroup.procs"));
    }
    Files.delete(own);
  }
}
