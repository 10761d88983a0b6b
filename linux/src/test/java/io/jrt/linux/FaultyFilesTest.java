package io.jrt.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FaultyFilesTest {
  @Test
  void onlyTheNthCallFails(@TempDir Path temp) {
    Files files = FaultyFiles.failing(Kernel.open().files(), "mkdirat", 2, Errno.ENOSPC);
    try (Fd dir = files.openDirectory(temp)) {
      files.mkdirat(dir, "a", 0755);
      assertThatThrownBy(() -> files.mkdirat(dir, "b", 0755))
          .hasMessage("mkdirat injected fault: ENOSPC (no space left on device)");
      files.mkdirat(dir, "c", 0755);
      assertThat(files.list(dir)).extracting(e -> e.name().toString()).contains("a", "c");
    }
  }
}
