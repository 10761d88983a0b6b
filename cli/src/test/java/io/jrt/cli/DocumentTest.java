package io.jrt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.cri.v1.Image;
import org.junit.jupiter.api.Test;

class DocumentTest {
  @Test
  void messagesFollowTheJsonMappingOfProto3() {
    Image image = Image.newBuilder().setId("sha256:a\"b").addRepoTags("x:1").setSize(5).build();
    assertThat(Document.of(image).json())
        .contains("\"id\": \"sha256:a\\\"b\"")
        .contains("\"size\": \"5\"")
        .contains("\"pinned\": false")
        .doesNotContain("\"uid\"");
  }

  @Test
  void yamlQuotesWhatAReaderCouldTakeForSomethingElse() {
    String yaml =
        Document.parse("{\"a\":[{\"b\":\"yes\",\"c\":1},[\"x\"]],\"d\":{},\"e\":\"1.0\"}").yaml();
    assertThat(yaml)
        .isEqualTo(
            """
            a:
            - b: "yes"
              c: 1
            -
              - x
            d: {}
            e: "1.0"
            """);
  }

  @Test
  void brokenJsonIsRefused() {
    assertThatThrownBy(() -> Document.parse("{\"a\":"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Document.parse("[1 2]")).isInstanceOf(IllegalArgumentException.class);
  }
}
