package io.jrt.core.life;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrt.core.TestHome;
import io.jrt.linux.Kernel;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A file system of its own in a file, mounted until it is closed. */
final class LoopDisk implements AutoCloseable {
  private final Kernel kernel = Kernel.open();
  private final Path home;
  final Path place;

  private LoopDisk(Path home) throws IOException {
    this.home = home;
    this.place = Files.createDirectory(home.resolve("mounted"));
  }

  /** With project quota; the test is skipped, with the reason, where the kernel has none. */
  static LoopDisk withQuota(String type) throws Exception {
    List<String> mkfs =
        type.equals("ext4")
            ? List.of("mkfs.ext4", "-q", "-F", "-O", "quota,project", "-E", "quotatype=prjquota")
            : List.of("mkfs.xfs", "-q", "-f");
    LoopDisk disk = new LoopDisk(TestHome.make("disk"));
    try {
      disk.mount(mkfs, "loop,prjquota");
    } catch (IOException e) {
      disk.close();
      assumeTrue(false, "no " + type + " with project quota here: " + e.getMessage());
    }
    return disk;
  }

  static LoopDisk withoutQuota(String type) throws Exception {
    List<String> mkfs =
        type.equals("ext4") ? List.of("mkfs.ext4", "-q", "-F") : List.of("mkfs.xfs", "-q", "-f");
    LoopDisk disk = new LoopDisk(TestHome.make("disk"));
    try {
      disk.mount(mkfs, "loop");
    } catch (IOException e) {
      disk.close();
      assumeTrue(false, "no " + type + " on a loop device here: " + e.getMessage());
    }
    return disk;
  }

  private void mount(List<String> mkfs, String options) throws Exception {
    Path image = home.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(400L << 20);
    }
    run(Stream.concat(mkfs.stream(), Stream.of(image.toString())).toList());
    run(List.of("mount", "-o", options, image.toString(), place.toString()));
  }

  private static void run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException(command + ": " + output.strip());
    }
  }

  @Override
  public void close() throws IOException {
    boolean mounted =
        kernel.mounts().mountInfo().stream()
            .anyMatch(mount -> mount.target().equals(place.toString()));
    if (mounted) {
      kernel.mounts().detach(place);
    }
    Files.deleteIfExists(place);
    Files.deleteIfExists(home.resolve("image"));
    Files.deleteIfExists(home);
  }
}
