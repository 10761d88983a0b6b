package io.jrt.server.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.TerminalSize;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResizeDecoderTest {
  private final ResizeDecoder decoder = new ResizeDecoder();
  private final List<TerminalSize> sizes = new ArrayList<>();

  @Test
  void objectsMayBeCutAnywhere() {
    for (char c : "{\"Width\":80,\"Height\":24}\n{\"Height\": 50, \"Width\": 120}".toCharArray()) {
      decode(String.valueOf(c));
    }
    assertThat(sizes).containsExactly(new TerminalSize(80, 24), new TerminalSize(120, 50));
  }

  @Test
  void whatIsNoSizeIsSkipped() {
    decode("x}{\"Width\":80}{\"Width\":99999,\"Height\":1}{" + "a".repeat(100_000));
    decode("{\"Width\":1,\"Height\":2}");
    assertThat(sizes).containsExactly(new TerminalSize(1, 2));
  }

  private void decode(String text) {
    decoder.decode(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8), sizes::add);
  }
}
