package io.jrt.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandOutputTest {
  private static final int EDGE = CommandOutput.IN_MEMORY;

  @TempDir private Path directory;
  private final Kernel kernel = Kernel.open();

  private CommandOutput fill(byte[] all, int piece) {
    var output = new CommandOutput(kernel, directory);
    for (int at = 0; at < all.length; at += piece) {
      ByteBuffer part = ByteBuffer.wrap(all, at, Math.min(piece, all.length - at));
      output.append(part);
      assertThat(part.hasRemaining()).as("taken as a whole").isFalse();
    }
    return output.finish();
  }

  private static byte[] viewed(CommandOutput output) {
    try (Arena arena = Arena.ofConfined()) {
      ByteBuffer all = ByteBuffer.allocate(output.length());
      output.view(arena).forEach(all::put);
      assertThat(all.hasRemaining()).isFalse();
      return all.array();
    }
  }

  private static byte[] random(int size) {
    byte[] all = new byte[size];
    new Random(size).nextBytes(all);
    return all;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, EDGE - 1, EDGE, EDGE + 1, 3 * EDGE, 1_000_001})
  void whatIsPrintedComesBackAsItWas(int size) {
    byte[] all = random(size);
    for (int piece : new int[] {1021, EDGE, 4 * EDGE}) {
      try (CommandOutput filled = fill(all, piece)) {
        assertThat(filled.length()).isEqualTo(size);
        assertThat(filled.isLarge()).isEqualTo(size > EDGE);
        assertThat(filled.toArray()).isEqualTo(all);
        assertThat(viewed(filled)).isEqualTo(all);
      }
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void theBeginningIsKept() {
    byte[] all = random(CommandOutput.LIMIT + 12_345);
    try (CommandOutput filled = fill(all, 1_000_000)) {
      assertThat(filled.toArray()).isEqualTo(Arrays.copyOf(all, CommandOutput.LIMIT));
    }
  }

  @Test
  void whatComesAfterTheEndIsNotKept() {
    CommandOutput filled = fill("all".getBytes(StandardCharsets.UTF_8), 10);
    filled.append(ByteBuffer.wrap(random(EDGE)));
    assertThat(filled.text()).isEqualTo("all");
    filled.close();
    filled.append(ByteBuffer.wrap(random(2 * EDGE)));
    assertThat(filled.isLarge()).isFalse();
  }

  @Test
  void outputThatCouldNotBeKeptIsAnErrorThatTellsWhere() throws Exception {
    Files.delete(directory);
    assertThatThrownBy(() -> fill(random(2 * EDGE), 1000))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("output of the command could not be kept in " + directory)
        .hasMessageContaining("ENOENT");
    Files.createDirectory(directory);
  }
}
