package io.jrt.image.policy;

import io.jrt.image.ImagePolicy.Verdict;

/** What follows from a finding. */
enum Action {
  OFF,
  WARN,
  DENY;

  Verdict verdict(String reason, boolean signature) {
    return switch (this) {
      case OFF -> new Verdict.Allowed();
      case WARN -> new Verdict.Warned(reason);
      case DENY -> new Verdict.Denied(reason, signature);
    };
  }
}
