package io.jrt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class WordsTest {
  @Test
  void sizesAreReadInBinaryUnits() {
    assertThat(Words.bytes("512")).isEqualTo(512);
    assertThat(Words.bytes("64k")).isEqualTo(65_536);
    assertThat(Words.bytes("1.5g")).isEqualTo(1_610_612_736L);
    assertThat(Words.bytes("10MiB")).isEqualTo(10L << 20);
    assertThat(Words.bytes("10MB")).isEqualTo(10L << 20);
    assertThatThrownBy(() -> Words.bytes("ten")).isInstanceOf(UsageException.class);
    assertThatThrownBy(() -> Words.bytes("-1")).isInstanceOf(UsageException.class);
  }

  @Test
  void timesHaveUnits() {
    assertThat(Words.duration("90")).isEqualTo(Duration.ofSeconds(90));
    assertThat(Words.duration("500ms")).isEqualTo(Duration.ofMillis(500));
    assertThat(Words.duration("2h")).isEqualTo(Duration.ofHours(2));
    assertThatThrownBy(() -> Words.duration("2y")).isInstanceOf(UsageException.class);
  }

  @Test
  void agesAreInTheirLargestUnit() {
    Instant now = Instant.ofEpochSecond(1_000_000);
    assertThat(Words.age(999_990L * 1_000_000_000, now)).isEqualTo("10s");
    assertThat(Words.age(0, now)).isEqualTo("-");
    assertThat(Words.age(1, now)).isEqualTo("11d");
  }
}
