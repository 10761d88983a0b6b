package io.jrt.image.policy;

import java.util.Locale;
import java.util.Optional;

/** How bad a vulnerability is, in Harbor's words, the mildest first. */
enum Severity {
  NONE,
  UNKNOWN,
  NEGLIGIBLE,
  LOW,
  MEDIUM,
  HIGH,
  CRITICAL;

  static Optional<Severity> of(String word) {
    for (Severity severity : values()) {
      if (severity.name().equalsIgnoreCase(word)) {
        return Optional.of(severity);
      }
    }
    return Optional.empty();
  }

  /** As a report has it; a word that is not known here is the scanner's way to say unknown. */
  static Severity reported(String word) {
    return of(word).orElse(UNKNOWN);
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
