package io.jrt.cli;

import io.jrt.cri.v1.Signal;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Signals by the names people use for them. */
final class Signals {
  private Signals() {}

  /** Reads {@code TERM}, {@code SIGTERM}, {@code term}. */
  static Signal named(String text) {
    String upper = text.toUpperCase(Locale.ROOT);
    String name = "SIGNAL_" + (upper.startsWith("SIG") ? upper : "SIG" + upper);
    for (Signal signal : Signal.values()) {
      if (signal.name().equals(name)) {
        return signal;
      }
    }
    List<String> names =
        Arrays.stream(Signal.values()).map(s -> s.name().replaceFirst("^SIGNAL_", "")).toList();
    throw new UsageException(
        "no signal "
            + text
            + Nearest.to(name.replaceFirst("^SIGNAL_", ""), names)
                .map(n -> "; did you mean " + n + "?")
                .orElse(""));
  }
}
