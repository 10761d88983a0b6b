package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Images as volumes. */
class ImageMountsIT extends MountLab {
  private MountRequest image(String subPath, Path... layers) {
    return MountRequest.of(
        new MountSource.Image("example.org/data:1", List.of(layers), subPath), "/image");
  }

  @Test
  void layersAreStackedReadOnlyAndCanBeExecuted() throws IOException {
    node.file("low/both", "low");
    node.file("low/only", "low");
    node.file("high/both", "high");

    try (PreparedMount mount =
        one(image("", node.root.resolve("high"), node.root.resolve("low")))) {
      Path target = node.attach(mount, "target");
      assertThat(target.resolve("both")).hasContent("high");
      assertThat(target.resolve("only")).hasContent("low");
      assertThat(writable(target)).isFalse();
      assertThat(entry(target).options())
          .contains("ro", "nosuid", "nodev")
          .doesNotContain("noexec");
    }
  }

  @Test
  void subPathOfOneAndOfManyLayers() throws IOException {
    node.file("low/a/b/file", "x");
    Path high = node.directory("high");
    Path low = node.root.resolve("low");

    try (PreparedMount single = one(image("a/b", low));
        PreparedMount many = one(image("a/b", high, low));
        PreparedMount file = one(image("a/b/file", high, low))) {
      assertThat(node.attach(single, "t1").resolve("file")).hasContent("x");
      assertThat(node.attach(many, "t2").resolve("file")).hasContent("x");
      assertThat(file.directory()).isFalse();
      assertThat(node.attach(file, "t3")).hasContent("x");
    }
  }

  @Test
  void subPathNeverLeavesTheImage() throws IOException {
    node.file("secret/file", "secret");
    node.file("image/secret/file", "mine");
    Path image = node.root.resolve("image");
    Files.createSymbolicLink(image.resolve("absolute"), node.root.resolve("secret"));
    Files.createSymbolicLink(image.resolve("up"), Path.of("../secret"));
    Files.createSymbolicLink(image.resolve("proc"), Path.of("/proc/self/root"));
    Path high = node.directory("high");

    for (Path[] layers : new Path[][] {{image}, {high, image}}) {
      try (PreparedMount up = one(image("up", layers))) {
        assertThat(node.attach(up, "up" + layers.length).resolve("file")).hasContent("mine");
      }
      for (String subPath :
          List.of("absolute", "proc", "none", "../secret", "/secret", "a/../..")) {
        assertThatThrownBy(() -> one(image(subPath, layers)))
            .isInstanceOf(JrtException.class)
            .hasMessageStartingWith("ImageVolumeMountFailed: image example.org/data:1: sub-path");
      }
    }
  }

  @Test
  void randomTreesOfLinksNeverLeadOutOfTheImage() throws IOException {
    node.file("secret/file", "secret");
    Random random = new Random(5);
    List<String> targets =
        List.of(
            "..",
            "../..",
            "../../secret",
            "/",
            "/secret",
            "/a",
            "b/../../..",
            node.root.resolve("secret").toString(),
            "/proc/self/root",
            "/proc/1/root",
            "/proc/self/fd/3");
    int mounted = 0;
    for (int round = 0; round < 150; round++) {
      Path image = node.directory("image" + round);
      Path at = image;
      StringBuilder subPath = new StringBuilder();
      for (int depth = 0; depth < 4; depth++) {
        String name = String.valueOf((char) ('a' + random.nextInt(3)));
        Path entry = at.resolve(name);
        boolean free = !Files.exists(entry, LinkOption.NOFOLLOW_LINKS);
        if (free && random.nextBoolean()) {
          at = Files.createDirectory(entry);
        } else if (free) {
          Files.createSymbolicLink(entry, Path.of(targets.get(random.nextInt(targets.size()))));
        }
        subPath.append(depth == 0 ? "" : "/").append(name);
      }
      try (PreparedMount mount = one(image(subPath.toString(), image))) {
        mounted++;
        Path place = node.attach(mount, "place" + round);
        assertThat(place.resolve("file")).as("%s of image %d", subPath, round).doesNotExist();
        assertThat(place.resolve("secret")).doesNotExist();
        assertThat(place.resolve("etc")).doesNotExist();
      } catch (JrtException e) {
        assertThat(e).hasMessageStartingWith("ImageVolumeMountFailed: ");
      }
    }
    assertThat(mounted).isGreaterThan(10);
  }
}
