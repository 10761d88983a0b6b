package io.jrt.core.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LineFormatterTest {
  private final LineFormatter formatter = new LineFormatter(OutputStreamKind.STDOUT);
  private final StringBuilder out = new StringBuilder();

  @Test
  void aLineIsOneRecord() {
    format("hello\n\nworld\n");
    assertThat(out).hasToString("T stdout F hello\nT stdout F \nT stdout F world\n");
  }

  @Test
  void anUnfinishedLineWaitsForItsEnd() {
    format("hel");
    assertThat(out).isEmpty();
    format("lo\nwor");
    assertThat(out).hasToString("T stdout F hello\n");
    formatter.end("E", this::record);
    assertThat(out).hasToString("T stdout F hello\nE stdout P wor\n");
  }

  @Test
  void carriageReturnBeforeNewlineIsDroppedAlsoAcrossPieces() {
    format("a\r\nb\r");
    format("\nc\rd\n\r\n");
    assertThat(out).hasToString("T stdout F a\nT stdout F b\nT stdout F c\rd\nT stdout F \n");
  }

  @Test
  void longLinesAreCutIntoPieces() {
    String line = "x".repeat(LineFormatter.MAX_LINE * 2 + 5);
    format(line + "\n");
    String piece = "T stdout P " + "x".repeat(LineFormatter.MAX_LINE) + "\n";
    assertThat(out).hasToString(piece + piece + "T stdout F xxxxx\n");
  }

  @Test
  void aLineOfExactlyTheLimitIsOnePiece() {
    String line = "x".repeat(LineFormatter.MAX_LINE);
    format(line);
    format("\n");
    assertThat(out).hasToString("T stdout F " + line + "\n");
  }

  @Test
  void anyCutOfTheInputGivesTheSameLinesAndBytesStayAsTheyAre() {
    Random random = new Random(42);
    for (int round = 0; round < 200; round++) {
      byte[] input = new byte[random.nextInt(60_000)];
      for (int i = 0; i < input.length; i++) {
        int r = random.nextInt(round % 2 == 0 ? 40 : 20_000);
        input[i] = (byte) (r == 0 ? '\n' : r == 1 ? '\r' : random.nextInt(256));
      }
      LineFormatter whole = new LineFormatter(OutputStreamKind.STDERR);
      StringBuilder expected = new StringBuilder();
      whole.format(buffer(input, 0, input.length), "T", recordTo(expected));
      whole.end("T", recordTo(expected));

      LineFormatter cut = new LineFormatter(OutputStreamKind.STDERR);
      StringBuilder actual = new StringBuilder();
      int at = 0;
      while (at < input.length) {
        int n = Math.min(input.length - at, 1 + random.nextInt(5000));
        cut.format(buffer(input, at, n), "T", recordTo(actual));
        at += n;
        LineFormatter next = new LineFormatter(OutputStreamKind.STDERR);
        next.restore(cut.snapshot());
        cut = next;
      }
      cut.end("T", recordTo(actual));
      assertThat(actual.toString()).isEqualTo(expected.toString());
      assertThat(contentOf(actual.toString()))
          .isEqualTo(new String(input, ISO_8859_1).replace("\r\n", "\n"));
    }
  }

  /** What a reader of the log shows. */
  static String contentOf(String log) {
    StringBuilder content = new StringBuilder();
    for (String line : lines(log)) {
      String[] parts = line.split(" ", 4);
      content.append(parts[3]);
      if (parts[2].equals("F")) {
        content.append('\n');
      }
    }
    return content.toString();
  }

  private static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    int from = 0;
    for (int at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      lines.add(text.substring(from, at));
      from = at + 1;
    }
    return lines;
  }

  private void format(String text) {
    byte[] bytes = text.getBytes(ISO_8859_1);
    formatter.format(buffer(bytes, 0, bytes.length), "T", this::record);
  }

  private static ByteBuffer buffer(byte[] bytes, int from, int length) {
    return ByteBuffer.allocate(length)
        .put(bytes, from, length)
        .flip()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  private void record(
      byte[] prefix, byte[] head, int headLength, ByteBuffer in, int from, int length) {
    recordTo(out).record(prefix, head, headLength, in, from, length);
  }

  private static LineFormatter.RecordOutput recordTo(StringBuilder to) {
    return (prefix, head, headLength, in, from, length) -> {
      byte[] body = new byte[length];
      in.get(from, body);
      to.append(new String(prefix, ISO_8859_1))
          .append(new String(head, 0, headLength, ISO_8859_1))
          .append(new String(body, ISO_8859_1))
          .append('\n');
    };
  }
}
