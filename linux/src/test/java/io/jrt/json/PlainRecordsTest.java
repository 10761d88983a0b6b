package io.jrt.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

class PlainRecordsTest {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .addModule(new PlainRecords())
          .build();

  private record Part(String name, long size) {
    Part {
      if (size < 0) {
        throw new IllegalArgumentException("a part of " + size + " bytes");
      }
    }
  }

  private record Whole(int number, boolean open, Optional<String> note, List<Part> parts) {}

  private record Nothing() {}

  @Test
  void recordsAreReadAsTheyWereWritten() {
    Whole whole = new Whole(3, true, Optional.of("x"), List.of(new Part("a", 1), new Part("b", 2)));
    assertThat(JSON.readValue(JSON.writeValueAsString(whole), Whole.class)).isEqualTo(whole);
    assertThat(JSON.readValue("{}", Nothing.class)).isEqualTo(new Nothing());
  }

  @Test
  void whatAConstructorRefusesIsToldInItsWords() {
    assertThatThrownBy(() -> JSON.readValue("{\"name\": \"a\", \"size\": -1}", Part.class))
        .isInstanceOf(JacksonException.class)
        .hasMessageContaining("a part of -1 bytes");
  }

  @Test
  void missingAndWrongComponentsAreErrors() {
    for (String wrong :
        List.of("{\"name\": \"a\"}", "{\"name\": \"a\", \"size\": null}", "{\"name\": {}}")) {
      assertThatThrownBy(() -> JSON.readValue(wrong, Part.class))
          .as(wrong)
          .isInstanceOf(JacksonException.class);
    }
  }
}
