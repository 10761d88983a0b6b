package io.jrt.core.life;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What this machine's privileges or kernel do not allow: each said once in the log, and kept. */
final class Limitations {
  private static final Logger log = LoggerFactory.getLogger(Limitations.class);

  private final Set<String> known = new LinkedHashSet<>();

  void addAll(List<String> sentences) {
    for (String sentence : sentences) {
      boolean isNew;
      synchronized (known) {
        // Values differ from container to container; a handful of examples is enough.
        isNew = known.size() < 50 && known.add(sentence);
      }
      if (isNew) {
        log.warn("{}", sentence);
      }
    }
  }

  List<String> all() {
    synchronized (known) {
      return new ArrayList<>(known);
    }
  }
}
