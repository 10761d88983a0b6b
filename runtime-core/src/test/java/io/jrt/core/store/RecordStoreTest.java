package io.jrt.core.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.MountConfig;
import io.jrt.core.PodConfig;
import io.jrt.core.PodMetadata;
import io.jrt.linux.FailPoints;
import io.jrt.linux.WholeFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class RecordStoreTest {
  private record Thing(String id, int number, PodConfig pod, List<EnvVar> env) {}

  private record ThingV2(String id, int count) {}

  @TempDir Path directory;

  private final PodConfig pod = PodConfig.named(new PodMetadata("n", "u", "ns", 1));

  private RecordStore<Thing> store() {
    return new RecordStore<>(
        directory, "thing", 1, Thing.class, envelope -> envelope, FailPoints.none());
  }

  @Test
  void recordsComeBackAsTheyWere() {
    Thing text = new Thing("a", 1, pod, List.of(EnvVar.of("A", "base64:odd")));
    Thing bytes =
        new Thing("b", 2, pod, List.of(new EnvVar("B", Bytes.of(new byte[] {(byte) 0x80, 0}))));
    store().put("a", text, WholeFile.Durability.POWER_CUT);
    store().put("b", bytes, WholeFile.Durability.CRASH);
    RecordStore.Loaded<Thing> loaded = store().load();
    assertThat(loaded.records()).containsExactly(text, bytes);
    assertThat(loaded.damaged()).isEmpty();
    store().remove("a", WholeFile.Durability.POWER_CUT);
    store().remove("a", WholeFile.Durability.POWER_CUT);
    assertThat(store().load().records()).containsExactly(bytes);
  }

  private record Grown(String id, @Added List<String> later) {
    Grown {
      later = List.copyOf(java.util.Objects.requireNonNullElse(later, List.of()));
    }
  }

  @Test
  void recordsOfEarlierDaemonsLackWhatWasAddedAndNothingElse() throws Exception {
    Files.writeString(
        directory.resolve("x.json"),
        "{\"kind\": \"grown\", \"version\": 1, \"record\": {\"id\": \"x\"}}");
    Files.writeString(
        directory.resolve("torn.json"),
        "{\"kind\": \"grown\", \"version\": 1, \"record\": {\"later\": []}}");
    RecordStore.Loaded<Grown> loaded =
        new RecordStore<>(
                directory, "grown", 1, Grown.class, envelope -> envelope, FailPoints.none())
            .load();
    assertThat(loaded.records()).containsExactly(new Grown("x", List.of()));
    assertThat(loaded.damaged()).hasSize(1);
  }

  @Test
  void wholeContainerRequestsComeBack() {
    record Holder(ContainerConfig config) {}
    RecordStore<Holder> store =
        new RecordStore<>(
            directory, "holder", 1, Holder.class, envelope -> envelope, FailPoints.none());
    ContainerConfig config = ContainerConfig.of("c", "busybox", List.of("sh", "-c", "true"));
    ContainerConfig full =
        new ContainerConfig(
            config.metadata(),
            config.image(),
            config.command(),
            config.args(),
            "/w",
            List.of(EnvVar.of("A", "b")),
            List.of(MountConfig.bind("/a", "/b", true)),
            config.devices(),
            config.cdiDevices(),
            config.labels(),
            config.annotations(),
            "0.log",
            true,
            true,
            false,
            config.resources(),
            config.security(),
            "SIGTERM");
    store.put("x", new Holder(full), WholeFile.Durability.CRASH);
    assertThat(store.load().records()).containsExactly(new Holder(full));
  }

  @Test
  void damagedFilesAreSetAsideAndReported() throws Exception {
    Thing good = new Thing("good", 1, pod, List.of());
    store().put("good", good, WholeFile.Durability.CRASH);
    Files.writeString(directory.resolve("cut.json"), "{\"kind\":\"thing\",\"version\":1,\"rec");
    Files.writeString(directory.resolve("empty.json"), "");
    Files.writeString(directory.resolve("other.json"), "{\"kind\":\"spoon\",\"version\":1}");
    Files.writeString(directory.resolve("newer.json"), "{\"kind\":\"thing\",\"version\":9}");
    Files.writeString(
        directory.resolve("missing.json"),
        "{\"kind\":\"thing\",\"version\":1,\"record\":{\"id\":\"m\"}}");
    Files.writeString(directory.resolve(".half.tmp"), "{");
    RecordStore.Loaded<Thing> loaded = store().load();
    assertThat(loaded.records()).containsExactly(good);
    assertThat(loaded.damaged())
        .extracting(damaged -> damaged.file().getFileName().toString())
        .containsExactlyInAnyOrder(
            "cut.json", "empty.json", "other.json", "newer.json", "missing.json");
    assertThat(loaded.damaged()).allSatisfy(damaged -> assertThat(damaged.movedTo()).exists());
    assertThat(directory.resolve(".half.tmp")).doesNotExist();
    assertThat(store().load().damaged()).isEmpty();
  }

  @Test
  void olderVersionIsMigrated() {
    store().put("a", new Thing("a", 7, pod, List.of()), WholeFile.Durability.CRASH);
    RecordStore<ThingV2> newer =
        new RecordStore<>(
            directory,
            "thing",
            2,
            ThingV2.class,
            envelope -> {
              ObjectNode record = (ObjectNode) envelope.get("record");
              record.set("count", record.remove("number"));
              return envelope;
            },
            FailPoints.none());
    assertThat(newer.load().records()).containsExactly(new ThingV2("a", 7));
  }
}
