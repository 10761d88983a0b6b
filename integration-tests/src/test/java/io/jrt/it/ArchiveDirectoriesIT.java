package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.cri.v1.Image;
import io.jrt.cri.v1.ListImagesRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A directory of archives and lists, as a k3s node without a registry has it. */
class ArchiveDirectoriesIT {
  private static final String BUNDLED = "localhost/jrt-busybox:latest";

  @TempDir Path temp;

  private static boolean isPinned(Daemon daemon, String name) {
    List<Image> images =
        daemon.cri().images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList();
    return images.stream()
        .anyMatch(image -> image.getRepoTagsList().contains(name) && image.getPinned());
  }

  private static void await(String what, Daemon daemon, BooleanSupplier done) {
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!done.getAsBoolean()) {
      assertThat(System.nanoTime()).as("%s: %s", what, daemon.output()).isLessThan(end);
      Daemon.sleep(20);
    }
  }

  private static long times(Daemon daemon, String words) {
    return Pattern.compile(words, Pattern.LITERAL).matcher(daemon.output()).results().count();
  }

  /** As if it had been there for long. */
  private static void age(Path file) throws Exception {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
  }

  @Test
  void whatLiesThereIsBroughtInOnceAndPinned() throws Exception {
    Path directory = Files.createDirectories(temp.resolve("images"));
    age(Files.writeString(directory.resolve("a.tar"), "no archive at all"));
    Path archive = Files.copy(Daemon.bundledArchive(), directory.resolve("busybox.tar"));
    age(archive);
    try (LocalRegistry registry = LocalRegistry.start(temp.resolve("registry"));
        Daemon daemon =
            Daemon.start(
                "[images]\nimport-dirs = [\"%s\", \"%s/none\"]\n".formatted(directory, temp))) {
      await("the archive", daemon, () -> isPinned(daemon, BUNDLED));
      assertThat(daemon.output()).contains("a.tar cannot be brought in");

      String name = registry.push("it/listed", "1", Workloads.busybox());
      Files.writeString(directory.resolve("list.txt"), "# of the cluster\n\n" + name + "\n");
      await("the list", daemon, () -> isPinned(daemon, name));
      await("the note of it", daemon, () -> times(daemon, "brought in " + directory) == 2);

      daemon.kill();
      daemon.restart();
      await("pins after a death", daemon, () -> isPinned(daemon, BUNDLED));
      await("the look", daemon, () -> times(daemon, "a.tar cannot be brought in") == 2);
      assertThat(isPinned(daemon, name)).isTrue();
      assertThat(times(daemon, "brought in " + directory)).isEqualTo(2);

      daemon.jrt("rmi", BUNDLED).ok();
      daemon.terminate();
      daemon.restart();
      await("the image that was missing", daemon, () -> isPinned(daemon, BUNDLED));
    }
  }
}
