package io.jrt.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReferenceTest {
  @Test
  void theReferencePageHasTheDefaultsAsTheyAre() throws IOException {
    assertThat(Files.readString(Path.of("../docs/reference/config.md")))
        .as("docs/reference/config.md; make reference writes it anew")
        .contains("```toml\n" + ConfigText.ofDefaults() + "```\n");
  }
}
