package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.OpenFlags;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A file system that does not answer. */
class HangingMountIT extends MountLab {
  @Test
  void hangingFileSystemIsNamedAndHoldsNobodyElseUp() throws Exception {
    Volumes impatient = volumes(Duration.ofMillis(300));
    Path place = node.directory("dead");
    // A FUSE server that never answers is the nearest thing to a dead NFS server.
    Fd server = node.kernel.files().open(Path.of("/dev/fuse"), OpenFlags.O_RDWR);
    node.atEnd(server::close);
    node.kernel
        .mounts()
        .mount(
            "dead",
            place.toString(),
            "fuse",
            0,
            "fd=%d,rootmode=40000,user_id=0,group_id=0".formatted(server.value()));
    node.atEnd(() -> node.kernel.mounts().detach(place));
    Path below = place.resolve("volume");

    assertThatThrownBy(() -> impatient.prepare(List.of(host(below)), context))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEADLINE))
        .hasMessageStartingWith("mount of %s on /data hangs".formatted(below));
    assertThat(impatient.slowerThan(Duration.ofMillis(100)))
        .singleElement()
        .satisfies(
            slow -> {
              assertThat(slow.what()).startsWith("mount of " + below);
              assertThat(slow.owner()).isEqualTo("container-1");
              assertThat(slow.abandoned()).isTrue();
            });

    impatient.prepare(List.of(host(node.directory("fine"))), context).getFirst().close();

    server.close();
    long until = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!impatient.slowerThan(Duration.ZERO).isEmpty() && System.nanoTime() < until) {
      Thread.sleep(10);
    }
    assertThat(impatient.slowerThan(Duration.ZERO)).isEmpty();
  }
}
