package io.jrt.core.life;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Steps that give something back: each is tried whatever became of the others. */
final class Releases {
  private final String what;
  private final List<RuntimeException> failures = new ArrayList<>();

  Releases(String what) {
    this.what = what;
  }

  void attempt(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  /** Throws the first failure, with the others attached to it. */
  void finish() {
    @Nullable RuntimeException first = failures.isEmpty() ? null : failures.removeFirst();
    if (first != null) {
      failures.forEach(first::addSuppressed);
      throw first;
    }
  }

  /** The failures as sentences, for a report. */
  List<String> sentences() {
    return failures.stream().map(failure -> what + ": " + failure.getMessage()).toList();
  }
}
