package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.ListPodSandboxRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every kind of record that a daemon keeps, damaged in every way: the next daemon starts, says
 * which file it was, and goes on with everything else.
 */
class DamagedRecordsIT {
  private Daemon daemon;
  private String image;
  private int objects;

  /** What can have become of a file. */
  enum Damage {
    TRUNCATED,
    EMPTY,
    NULL,
    WRONG_KIND,
    NEWER_VERSION,
    GARBAGE,
    DIRECTORY;

    private void doTo(Path file, Path otherKind) throws IOException {
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      switch (this) {
        case TRUNCATED -> Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        case EMPTY -> Files.createFile(file);
        case NULL -> Files.writeString(file, "null\n");
        case WRONG_KIND -> Files.copy(otherKind, file);
        case NEWER_VERSION ->
            Files.writeString(
                file,
                new String(bytes, StandardCharsets.UTF_8)
                    .replaceFirst("\"version\"( ?): ?\\d+", "\"version\"$1: 4711"));
        case GARBAGE -> {
          byte[] garbage = new byte[3000];
          new java.util.Random(1).nextBytes(garbage);
          Files.write(file, garbage);
        }
        case DIRECTORY -> {
          Files.createDirectory(file);
          Files.writeString(file.resolve("inside"), "x");
        }
      }
    }
  }

  @BeforeEach
  void startDaemon() throws IOException, InterruptedException {
    daemon = Daemon.start(Daemon.newHome(), Daemon.ownRange(), Map.of());
    image = daemon.bundledImage();
  }

  @AfterEach
  void stopDaemon() throws IOException {
    daemon.close();
  }

  private record Running(String pod, String container) {}

  private Running run() {
    objects++;
    PodSandboxConfig config =
        Cri.pod("p" + objects, NamespaceMode.POD, daemon.home().resolve("logs")).build();
    String pod = daemon.cri().runPod(config);
    String container =
        daemon
            .cri()
            .run(
                pod,
                config,
                Cri.container(
                        "c", image, "sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done")
                    .build());
    return new Running(pod, container);
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void oneDamagedRecordIsToldAndHarmsNothingElse(Damage damage)
      throws IOException, InterruptedException {
    Running whole = run();
    daemon.jrt("volume", "create", "data").ok();
    Map<String, Path> victims = new LinkedHashMap<>();
    victims.put("pod", home("root/pods/" + run().pod() + ".json"));
    victims.put("container", home("root/containers/" + run().container() + ".json"));
    victims.put("lease", home("state/network/bridge/" + run().pod() + ".json"));
    victims.put("snapshot", home("root/images/snapshots/" + run().container() + "/snapshot.json"));
    victims.put("start", home("state/containers/" + run().container() + "/start.json"));
    victims.put("image", one(home("root/images/images")));
    victims.put("volume", home("root/volumes/volumes/data/volume.json"));
    victims.put("events", home("root/events/events.jsonl"));
    daemon.kill();
    Path some = home("root/pods/" + whole.pod() + ".json");
    Path other = home("root/containers/" + whole.container() + ".json");
    List<String> damaged = new ArrayList<>();
    for (Map.Entry<String, Path> victim : victims.entrySet()) {
      boolean lines = victim.getKey().equals("events");
      boolean unversioned = victim.getKey().equals("snapshot");
      if (damage == Damage.NEWER_VERSION && (lines || unversioned)) {
        continue;
      }
      damage.doTo(victim.getValue(), victim.getKey().equals("pod") ? other : some);
      // A line of the journal that was cut is not worth a word.
      if (!lines || !(damage == Damage.TRUNCATED || damage == Damage.EMPTY)) {
        damaged.add(victim.getKey());
      }
    }
    int said = daemon.output().length();

    daemon.restart();

    String output = daemon.output().substring(said);
    for (String kind : damaged) {
      assertThat(output)
          .as("what is said of the damaged %s record", kind)
          .contains(told(kind, victims));
    }
    assertThat(daemon.cri().status(whole.container()).getState())
        .isEqualTo(ContainerState.CONTAINER_RUNNING);
    assertThat(daemon.cri().exec(whole.container(), "echo", "here").getStdout().toStringUtf8())
        .isEqualTo("here\n");
    image = daemon.bundledImage();
    Running next = run();
    for (var container :
        daemon
            .cri()
            .runtime()
            .listContainers(ListContainersRequest.getDefaultInstance())
            .getContainersList()) {
      daemon.cri().stop(container.getId(), 5);
    }
    assertThat(daemon.cri().status(whole.container()).getExitCode()).isEqualTo(9);
    assertThat(daemon.cri().status(next.container()).getExitCode()).isEqualTo(9);
    daemon.cri().removeEverything();
    assertThat(
            daemon
                .cri()
                .runtime()
                .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsList())
        .isEmpty();
  }

  /** What the daemon must name. */
  private static String told(String kind, Map<String, Path> victims) {
    String file = String.valueOf(victims.get(kind));
    return switch (kind) {
      case "snapshot" -> file.replace("/snapshot.json", "");
      case "volume" -> "volume data";
      default -> file;
    };
  }

  private Path home(String path) {
    return daemon.home().resolve(path);
  }

  private static Path one(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".json")).findFirst().orElseThrow();
    }
  }
}
