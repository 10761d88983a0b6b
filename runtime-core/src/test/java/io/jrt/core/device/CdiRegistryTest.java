package io.jrt.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CdiRegistryTest {
  @TempDir Path directory;
  private Path low;
  private Path high;
  private CdiRegistry registry;

  @BeforeEach
  void make() throws IOException {
    low = Files.createDirectory(directory.resolve("etc"));
    high = Files.createDirectory(directory.resolve("run"));
    CdiSpec found =
        new CdiSpec(
            "found",
            "0.5.0",
            "v.com/gpu",
            Map.of(),
            List.of(
                CdiSpec.Device.of(
                    "found", CdiEdits.of(List.of(CdiEdits.Node.of("/dev/f")), List.of())),
                CdiSpec.Device.of(
                    "a", CdiEdits.of(List.of(CdiEdits.Node.of("/dev/f")), List.of()))),
            CdiEdits.NONE);
    registry = new CdiRegistry(List.of(low, high, directory.resolve("none")), () -> List.of(found));
  }

  private static void write(Path file, String device, String value) throws IOException {
    Files.writeString(
        file,
        """
        {"cdiVersion": "0.5.0", "kind": "v.com/gpu",
         "devices": [{"name": "%s", "containerEdits": {"env": ["X=%s"]}}]}
        """
            .formatted(device, value));
  }

  private List<String> environment(String device) {
    return registry.find(List.of(device)).getFirst().device().edits().environment();
  }

  @Test
  void laterDirectoryWinsAndChangesAreSeen() throws IOException {
    write(low.resolve("a.json"), "a", "low");
    assertThat(environment("v.com/gpu=a")).containsExactly("X=low");
    write(high.resolve("b.yaml"), "a", "high");
    assertThat(environment("v.com/gpu=a")).containsExactly("X=high");
    write(high.resolve("b.yaml"), "a", "higher still");
    assertThat(environment("v.com/gpu=a")).containsExactly("X=higher still");
    Files.delete(high.resolve("b.yaml"));
    assertThat(environment("v.com/gpu=a")).containsExactly("X=low");
  }

  @Test
  void conflictTakesOnlyThatDeviceAndNamesBothFiles() throws IOException {
    write(low.resolve("1.json"), "a", "1");
    write(low.resolve("2.json"), "a", "2");
    write(low.resolve("3.json"), "b", "3");
    assertThat(environment("v.com/gpu=b")).containsExactly("X=3");
    assertThatThrownBy(() -> environment("v.com/gpu=a"))
        .hasMessageContaining("v.com/gpu=a is in conflict")
        .hasMessageContaining("1.json")
        .hasMessageContaining("2.json");
    write(high.resolve("4.json"), "a", "decides");
    assertThat(environment("v.com/gpu=a")).containsExactly("X=decides");
  }

  @Test
  void unknownDevicesAreAllNamedWithTheFilesThatAreBroken() throws IOException {
    write(low.resolve("good.json"), "a", "1");
    Files.writeString(low.resolve("broken.json"), "{");
    Files.writeString(low.resolve("ignored.yml"), "{");
    assertThat(environment("v.com/gpu=a")).containsExactly("X=1");
    assertThatThrownBy(() -> registry.find(List.of("v.com/gpu=x", "v.com/gpu=a", "v.com/gpu=y")))
        .hasMessageContaining("v.com/gpu=x, v.com/gpu=y")
        .hasMessageContaining("broken.json");
  }

  @Test
  void whatNoFileNamesIsAnsweredByDiscovery() throws IOException {
    assertThat(registry.find(List.of("v.com/gpu=found")).getFirst().spec().origin())
        .isEqualTo("found");
    write(low.resolve("a.json"), "a", "file");
    assertThat(environment("v.com/gpu=a")).containsExactly("X=file");
    assertThat(registry.contents().devices()).containsOnlyKeys("v.com/gpu=a", "v.com/gpu=found");
  }
}
