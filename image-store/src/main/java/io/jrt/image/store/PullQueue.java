package io.jrt.image.store;

import io.jrt.image.PullProgress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The pulls and imports under way. */
final class PullQueue {
  private final List<PullTracker> running = new CopyOnWriteArrayList<>();

  void add(PullTracker tracker) {
    running.add(tracker);
  }

  void remove(PullTracker tracker) {
    running.remove(tracker);
  }

  List<PullProgress> list() {
    return running.stream().map(PullTracker::progress).toList();
  }
}
