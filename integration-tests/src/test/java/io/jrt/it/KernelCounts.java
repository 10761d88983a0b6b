package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What the kernel itself says of a container. */
final class KernelCounts {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  private KernelCounts() {}

  /** A file of the container's cgroup, whichever version and hierarchy has it. */
  static Path file(String container, String... names) throws IOException {
    for (Path root :
        List.of(
            CGROUPS,
            CGROUPS.resolve("memory"),
            CGROUPS.resolve("cpuacct"),
            CGROUPS.resolve("cpu"),
            CGROUPS.resolve("pids"),
            CGROUPS.resolve("blkio"),
            CGROUPS.resolve("hugetlb"),
            CGROUPS.resolve("unified"))) {
      if (Files.isDirectory(root)) {
        try (Stream<Path> below =
            Files.find(
                root, 6, (path, a) -> a.isDirectory() && path.toString().contains(container))) {
          for (Path directory : below.toList()) {
            for (String name : names) {
              if (Files.exists(directory.resolve(name))) {
                return directory.resolve(name);
              }
            }
          }
        }
      }
    }
    throw new IOException("no file " + Arrays.toString(names) + " of " + container);
  }

  static long number(Path file) throws IOException {
    return Long.parseLong(Files.readString(file).strip());
  }

  static long keyed(Path file, String... keys) throws IOException {
    for (String line : Files.readAllLines(file)) {
      String[] words = line.split(" ");
      if (Arrays.asList(keys).contains(words[0])) {
        return Long.parseLong(words[1]);
      }
    }
    return 0;
  }

  /** Block size, blocks, inodes and free inodes. */
  static List<Long> statfs(Path path) throws IOException, InterruptedException {
    Process stat =
        new ProcessBuilder("stat", "-f", "-c", "%S %b %c %d", path.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String line = new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(stat.waitFor()).isZero();
    return Arrays.stream(line.strip().split(" ")).map(Long::parseLong).toList();
  }

  /** The kernel's own count by major, minor and operation. */
  static Map<List<String>, Long> deviceBytes(String container) throws IOException {
    Map<List<String>, Long> bytes = new HashMap<>();
    Path file = file(container, "io.stat", "blkio.throttle.io_service_bytes");
    for (String line : Files.readAllLines(file)) {
      String[] words = line.split(" ");
      String[] numbers = words[0].split(":");
      if (words.length == 3 && (words[1].equals("Read") || words[1].equals("Write"))) {
        bytes.put(List.of(numbers[0], numbers[1], words[1]), Long.parseLong(words[2]));
      }
      for (String word : words) {
        if (word.startsWith("rbytes=") || word.startsWith("wbytes=")) {
          bytes.put(
              List.of(numbers[0], numbers[1], word.startsWith("r") ? "Read" : "Write"),
              Long.parseLong(word.substring(word.indexOf('=') + 1)));
        }
      }
    }
    return bytes;
  }

  static long swap(String container) throws IOException {
    try {
      return number(file(container, "memory.swap.current"));
    } catch (IOException legacy) {
      return keyed(file(container, "memory.stat"), "total_swap", "swap");
    }
  }
}
