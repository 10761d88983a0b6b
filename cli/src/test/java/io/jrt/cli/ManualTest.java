package io.jrt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManualTest {
  @Test
  void theReferencePageIsCurrent() throws IOException {
    assertThat(Files.readString(Path.of("../docs/reference/jrt.md")))
        .as("docs/reference/jrt.md; make reference writes it anew")
        .isEqualTo(Manual.markdown(Jrt.commands()));
  }

  @Test
  void everyCommandHasAManualPage(@TempDir Path directory) throws IOException {
    Manual.main(new String[] {"man", directory.toString(), "2026-11-21"});
    for (Command command : Jrt.commands()) {
      String name = command.spec().name().replace(' ', '-');
      assertThat(directory.resolve("jrt-" + name + ".1"))
          .content()
          .contains(".SH SYNOPSIS", ".SH EXAMPLES");
    }
    assertThat(directory.resolve("jrt.1")).content().contains("JRT_SOCKET");
  }
}
