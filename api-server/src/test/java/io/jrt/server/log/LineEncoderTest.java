package io.jrt.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.LoggingEvent;
import io.jrt.server.config.LogConfig;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class LineEncoderTest {

  private static LoggingEvent event(Level level, String message, @Nullable Throwable error) {
    return new LoggingEvent(
        "test",
        (Logger) LoggerFactory.getLogger("io.jrt.image.Puller"),
        level,
        message,
        error,
        null);
  }

  @Test
  void textIsOneLineForPeople() {
    assertThat(new LineEncoder(LogConfig.Format.TEXT).line(event(Level.WARN, "disk is full", null)))
        .matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3} warn  Puller: disk is full\n");
  }

  @Test
  void everyFormBearsTheRequestThatItWasLoggedFor() {
    LoggingEvent event = event(Level.WARN, "disk is full", null);
    event.setMDCPropertyMap(Map.of("request", "4x"));
    assertThat(new LineEncoder(LogConfig.Format.TEXT).line(event))
        .endsWith("Puller: disk is full [4x]\n");
    assertThat(new LineEncoder(LogConfig.Format.JOURNAL).line(event))
        .isEqualTo("<4>Puller: disk is full [4x]\n");
    assertThat(new LineEncoder(LogConfig.Format.JSON).line(event)).contains("\"request\":\"4x\"");
  }

  @Test
  void journalLinesCarryTheirPriority() {
    String lines =
        new LineEncoder(LogConfig.Format.JOURNAL)
            .line(event(Level.ERROR, "it\nbroke", new IllegalStateException("why")));
    assertThat(lines.lines()).hasSizeGreaterThan(3).allMatch(line -> line.startsWith("<3>"));
  }

  @Test
  void jsonIsOneObjectALine() {
    String line =
        new LineEncoder(LogConfig.Format.JSON).line(event(Level.INFO, "a \"quoted\"\nline", null));
    assertThat(line.lines()).hasSize(1);
    JsonNode json = JsonMapper.builder().build().readTree(line);
    assertThat(json.get("level").asString()).isEqualTo("info");
    assertThat(json.get("part").asString()).isEqualTo("Puller");
    assertThat(json.get("message").asString()).isEqualTo("a \"quoted\"\nline");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "password=hunter2",
        "\"identity_token\": \"hunter2\"",
        "identityToken: hunter2",
        "sent Authorization Bearer hunter2hunter2 to r",
        "GET https://joe:hunter2@registry/v2/",
        "client_secret=hunter2&x=1",
      })
  void secretsDoNotGetIntoTheLog(String message) {
    String line = new LineEncoder(LogConfig.Format.TEXT).line(event(Level.INFO, message, null));
    assertThat(line).doesNotContain("hunter2").contains("***");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pulled docker.io/library/busybox:1.36@sha256:abcd from registry:5000",
        "start container: exec /etc/passwd: permission denied"
      })
  void whatIsNoSecretStays(String message) {
    assertThat(Redaction.of(message)).isEqualTo(message);
  }
}
