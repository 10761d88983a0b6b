package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What is mounted later, on either side. */
class PropagationIT extends MountLab {
  @Test
  void privateMountsSeeNothingLater() throws IOException {
    Path source = node.shared("source");
    Files.createDirectories(source.resolve("later"));

    try (PreparedMount mount = one(host(source))) {
      Path target = node.attach(mount, "target");
      node.tmpfs("source/later");
      node.file("source/later/x", "");
      assertThat(target.resolve("later/x")).doesNotExist();
    }
  }

  @Test
  void hostToContainerGoesOneWay() throws IOException {
    Path source = node.shared("source");
    Files.createDirectories(source.resolve("later"));
    Files.createDirectories(source.resolve("inner"));

    try (PreparedMount mount = one(propagating(source, Propagation.HOST_TO_CONTAINER))) {
      Path target = node.attach(mount, "target");
      node.tmpfs("source/later");
      node.file("source/later/x", "");
      assertThat(target.resolve("later/x")).exists();

      node.tmpfs("target/inner");
      node.file("target/inner/y", "");
      assertThat(source.resolve("inner/y")).doesNotExist();
    }
  }

  @Test
  void bidirectionalGoesBothWays() throws IOException {
    Path source = node.shared("source");
    Files.createDirectories(source.resolve("later"));
    Files.createDirectories(source.resolve("inner"));

    try (PreparedMount mount = one(propagating(source, Propagation.BIDIRECTIONAL))) {
      Path target = node.attach(mount, "target");
      node.tmpfs("source/later");
      node.file("source/later/x", "");
      assertThat(target.resolve("later/x")).exists();

      node.tmpfs("target/inner");
      node.file("target/inner/y", "");
      assertThat(source.resolve("inner/y")).exists();
      node.kernel.mounts().detach(target.resolve("inner"));
    }
  }

  @Test
  void propagationOfAPrivateMountIsRefusedWithItsMount() throws IOException {
    Path source = node.directory("source");

    assertThatThrownBy(() -> one(propagating(source, Propagation.BIDIRECTIONAL)))
        .isInstanceOfSatisfying(
            JrtException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION);
              assertThat(e.hint())
                  .contains("make it shared on the node: mount --make-rshared " + node.root);
            })
        .hasMessage(
            "path \"%s\" is mounted on \"%s\" but it is not a shared mount"
                .formatted(source, node.root));
    assertThatThrownBy(() -> one(propagating(source, Propagation.HOST_TO_CONTAINER)))
        .hasMessageEndingWith("but it is not a shared or slave mount");
  }
}
