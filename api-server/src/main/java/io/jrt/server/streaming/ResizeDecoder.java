package io.jrt.server.streaming;

import io.jrt.core.TerminalSize;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the stream of window sizes: JSON objects {@code {"Width":80,"Height":24}} one after the
 * other, cut anywhere. What is no such object is skipped.
 */
final class ResizeDecoder {
  private static final int MAX_OBJECT = 1024;
  private static final Pattern FIELD =
      Pattern.compile("\"(width|height)\"\\s*:\\s*(\\d{1,5})", Pattern.CASE_INSENSITIVE);

  private final StringBuilder object = new StringBuilder();

  void decode(ByteBuf data, Consumer<TerminalSize> sizes) {
    String text = data.toString(StandardCharsets.UTF_8);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '{') {
        object.setLength(0);
      }
      if (object.length() < MAX_OBJECT) {
        object.append(c);
      }
      if (c == '}') {
        parse(sizes);
        object.setLength(0);
      }
    }
  }

  private void parse(Consumer<TerminalSize> sizes) {
    int width = -1;
    int height = -1;
    Matcher field = FIELD.matcher(object);
    while (field.find()) {
      int value = Integer.parseInt(field.group(2));
      if (field.group(1).equalsIgnoreCase("width")) {
        width = value;
      } else {
        height = value;
      }
    }
    if (width >= 0 && height >= 0 && width <= 0xffff && height <= 0xffff) {
      sizes.accept(new TerminalSize(width, height));
    }
  }
}
