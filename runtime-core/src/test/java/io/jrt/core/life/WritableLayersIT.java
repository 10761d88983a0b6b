package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.Deadline;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.FailPoints;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The limit of what a container writes, on loop-mounted file systems. */
class WritableLayersIT {
  private static final int MIB = 1 << 20;

  private static Deadline later() {
    return Deadline.after(RuntimeLab.SOON.multipliedBy(3));
  }

  private @Nullable LoopDisk disk;
  private @Nullable RuntimeLab lab;

  @AfterEach
  void close() throws Exception {
    if (lab != null) {
      lab.close();
    }
    if (disk != null) {
      disk.close();
    }
  }

  private RuntimeLab open(LoopDisk on, CoreConfig config) throws Exception {
    disk = on;
    RuntimeLab opened =
        new RuntimeLab(
            on.place.resolve(
                "lab-" + ProcessHandle.current().pid() + "-" + System.nanoTime() % 100_000),
            FailPoints.none(),
            false);
    lab = opened;
    opened.configure(config);
    opened.importImages();
    opened.open();
    return opened;
  }

  private static String podWithLimit(RuntimeLab lab, String limit) {
    PodConfig plain = lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER);
    return lab.runtime()
        .runPod(
            new PodConfig(
                plain.metadata(),
                plain.hostname(),
                plain.logDirectory(),
                plain.dns(),
                plain.portMappings(),
                plain.labels(),
                Map.of(WritableLayers.ANNOTATION, limit),
                plain.cgroupParent(),
                plain.security(),
                plain.sysctls(),
                Optional.empty(),
                Optional.empty()),
            "",
            later());
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void annotationOfThePodLimitsItsContainersAndNoOthers(String type) throws Exception {
    RuntimeLab on = open(LoopDisk.withQuota(type), CoreConfig.DEFAULT);
    String pod = podWithLimit(on, "8Mi");
    String full =
        on.start(
            pod,
            on.container(
                "full", "dd if=/dev/zero of=/big bs=1M count=30 2>&1; echo ended; sleep 1000"));
    on.awaitLog("full", "ended");
    assertThat(String.join("\n", on.log("full")))
        .containsAnyOf("No space left on device", "Disk quota exceeded");
    String neighbour =
        on.start(
            on.runPod(),
            on.container("neighbour", "dd if=/dev/zero of=/big bs=1M count=30 && echo fits"));
    assertThat(on.awaitExit(neighbour).cause().code()).isZero();

    var layer = on.runtime().containerStats(full).writableLayer().orElseThrow();
    assertThat(layer.limitBytes()).hasValue(8 * MIB);
    assertThat(layer.usedBytes()).isBetween(6L * MIB, 8L * MIB);
    assertThat(on.runtime().containerStats(neighbour).writableLayer().orElseThrow().limitBytes())
        .isEmpty();

    on.restart();
    assertThat(
            on.exec(
                full,
                "sh",
                "-c",
                "rm /big; dd if=/dev/zero of=/b2 bs=1M count=4 2>&1; dd if=/dev/zero of=/b3 bs=1M"
                    + " count=9 2>&1"))
        .containsAnyOf("No space left on device", "Disk quota exceeded");
    on.runtime().removePod(pod, later());
    String again = podWithLimit(on, "8Mi");
    String fresh = on.start(again, on.container("fresh", "dd if=/dev/zero of=/f bs=1M count=4"));
    assertThat(on.awaitExit(fresh).cause().code()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void defaultOfTheConfigurationHoldsWhenAPodAsksForNothing(String type) throws Exception {
    RuntimeLab on =
        open(LoopDisk.withQuota(type), CoreConfig.DEFAULT.withWritableLayerLimit(4 * MIB, true));
    String container =
        on.start(on.runPod(), on.container("c", "dd if=/dev/zero of=/big bs=1M count=10"));
    assertThat(on.awaitExit(container).cause().code()).isNotZero();
    String free = podWithLimit(on, "0");
    String more = on.start(free, on.container("m", "dd if=/dev/zero of=/big bs=1M count=10"));
    assertThat(on.awaitExit(more).cause().code()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void whatCannotBeLimitedIsRefusedAndLeavesNothing(String type) throws Exception {
    RuntimeLab on = open(LoopDisk.withoutQuota(type), CoreConfig.DEFAULT);
    String pod = podWithLimit(on, "8Mi");
    assertThatThrownBy(() -> on.start(pod, on.container("c", "true")))
        .isInstanceOfSatisfying(
            JrtException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION);
              assertThat(e.step()).contains("limit");
            })
        .hasMessageContaining("has no project quota");
    assertThat(on.images().snapshotKeys()).isEmpty();
    String plain = on.start(on.runPod(), on.container("plain", "true"));
    assertThat(on.awaitExit(plain).cause().code()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void whatCannotBeLimitedMayRunWithoutAndThatIsSaidOnce(String type) throws Exception {
    RuntimeLab on =
        open(
            LoopDisk.withoutQuota(type), CoreConfig.DEFAULT.withWritableLayerLimit(4 * MIB, false));
    String pod = on.runPod();
    for (String name : new String[] {"one", "two"}) {
      String container =
          on.start(pod, on.container(name, "dd if=/dev/zero of=/big bs=1M count=10"));
      assertThat(on.awaitExit(container).cause().code()).isZero();
    }
    assertThat(on.runtime().info().limitations())
        .filteredOn(sentence -> sentence.contains("no project quota"))
        .hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"0,0", "1048576,1048576", "8Mi,8388608", "8MiB,8388608", "1G,1000000000", "2k,2000"})
  void sizesAreReadAsKubernetesWritesThem(String text, long bytes) {
    assertThat(WritableLayers.bytes(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "8 Mi", "8Xi", "99999999999999Ti", "1e3", "8Mi\n8Mi"})
  void otherSizesAreRefused(String text) {
    assertThatThrownBy(() -> WritableLayers.bytes(text))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
  }
}
