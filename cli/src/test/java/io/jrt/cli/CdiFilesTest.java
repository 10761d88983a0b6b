package io.jrt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.admin.v1.GeneratedCdi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CdiFilesTest {
  @TempDir Path directory;

  private static GeneratedCdi spec(String kind, String json) {
    return GeneratedCdi.newBuilder().setKind(kind).setJson(json).build();
  }

  @Test
  void filesFollowWhatIsFound() throws IOException {
    Path others = Files.writeString(directory.resolve("vendor.json"), "{}");
    CdiFiles files = new CdiFiles(directory);
    GeneratedCdi nvidia = spec("nvidia.com/gpu", "{1}");
    Path file = directory.resolve("nvidia.com-gpu.json");
    assertThat(files.write(List.of(nvidia, spec("amd.com/gpu", "{2}")))).hasSize(2);
    assertThat(file).hasContent("{1}");
    assertThat(files.write(List.of(nvidia, spec("amd.com/gpu", "{2}")))).isEmpty();
    assertThat(files.write(List.of(spec("nvidia.com/gpu", "{3}"))))
        .containsExactly(
            file.toString(),
            directory.resolve("amd.com-gpu.json") + " removed: no such device is there any more");
    assertThat(file).hasContent("{3}");
    assertThat(others).exists();
    try (var all = Files.list(directory)) {
      assertThat(all).containsExactlyInAnyOrder(file, others);
    }
  }
}
