package io.jrt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
  private static final List<Flag> FLAGS =
      List.of(
          Flag.toggle('i', "interactive", "i"),
          Flag.toggle('t', "tty", "t"),
          Flag.option('e', "env", "KEY=VALUE", "e"),
          Flag.option("name", "NAME", "n"));

  @Test
  void optionsStandBetweenArguments() {
    Arguments arguments = Arguments.parse(FLAGS, false, List.of("a", "--name=x", "-it", "b"));
    assertThat(arguments.rest()).containsExactly("a", "b");
    assertThat(arguments.value("name")).contains("x");
    assertThat(arguments.has("tty")).isTrue();
    assertThat(arguments.has("interactive")).isTrue();
  }

  @Test
  void optionsOfTheCommandInsideAreLeftAlone() {
    Arguments arguments =
        Arguments.parse(FLAGS, true, List.of("-e", "A=1", "-eB=2", "web", "ls", "-t", "--name"));
    assertThat(arguments.values("env")).containsExactly("A=1", "B=2");
    assertThat(arguments.rest()).containsExactly("web", "ls", "-t", "--name");
    assertThat(arguments.has("tty")).isFalse();
  }

  @Test
  void twoDashesEndTheOptions() {
    Arguments arguments = Arguments.parse(FLAGS, false, List.of("--", "-t"));
    assertThat(arguments.rest()).containsExactly("-t");
  }

  @Test
  void aMistypedOptionGetsAHint() {
    assertThatThrownBy(() -> Arguments.parse(FLAGS, false, List.of("--nmae", "x")))
        .isInstanceOf(UsageException.class)
        .hasMessage("no option --nmae; did you mean --name?");
  }

  @Test
  void anOptionWithoutItsValueSaysWhatIsMissing() {
    assertThatThrownBy(() -> Arguments.parse(FLAGS, false, List.of("--name")))
        .isInstanceOf(UsageException.class)
        .hasMessage("--name needs a value: NAME");
  }
}
