package io.jrt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SignalsTest {
  @Test
  void signalsHaveTheNamesPeopleUse() {
    assertThat(Signals.named("term").name()).endsWith("SIGTERM");
    assertThat(Signals.named("SIGHUP").name()).endsWith("SIGHUP");
    assertThatThrownBy(() -> Signals.named("SIGTREM"))
        .isInstanceOf(UsageException.class)
        .hasMessage("no signal SIGTREM; did you mean SIGTERM?");
  }
}
