package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
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
    return of(mkfs, "loop,prjquota", type + " with project quota");
  }

  static LoopDisk withoutQuota(String type) throws Exception {
    List<String> mkfs =
        type.equals("ext4") ? List.of("mkfs.ext4", "-q", "-F") : List.of("mkfs.xfs", "-q", "-f");
    return of(mkfs, "loop", type + " on a loop device");
  }

  private static LoopDisk of(List<String> mkfs, String options, String what) throws Exception {
    LoopDisk disk = new LoopDisk(TestHome.make("disk"));
    try {
      disk.mount(mkfs, options);
    } catch (IOException e) {
      disk.close();
      assumeTrue(false, "no " + what + " here: " + e.getMessage());
    } catch (AssertionError e) {
      disk.close();
      throw e;
    }
    return disk;
  }

  private void mount(List<String> mkfs, String options) throws Exception {
    Path image = home.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(400L << 20);
    }
    // A machine may lack the program or the file system; a program that fails is another matter.
    String made = run(Stream.concat(mkfs.stream(), Stream.of(image.toString())).toList());
    assertThat(made).as("what %s says", mkfs).isEmpty();
    String mounted = run(List.of("mount", "-o", options, image.toString(), place.toString()));
    if (!mounted.isEmpty()) {
      throw new IOException(mounted);
    }
  }

  /** Answers what a command says that fails. */
  private static String run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0) {
      return "";
    }
    process.destroyForcibly();
    return command + ": " + output.strip();
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
