package io.jrt.events;

import java.time.Instant;
import java.util.List;

/**
 * Where facts are told and heard.
 *
 * <p>Publishing never waits for a reader: an event is put in the replay buffer and the journal, and
 * readers take it from there. A reader that falls behind the buffer is told how many events it
 * missed.
 */
public interface Events extends AutoCloseable {

  /** Tells a fact; events of one object keep the order in which they were published. */
  void publish(Event event);

  /** Hears what happens from now on. */
  Subscription subscribe();

  /** Hears everything that is still kept after this sequence, and then what happens. */
  Subscription subscribeAfter(long sequence);

  /** What the journal still holds since then, oldest first, at most this many of the newest. */
  List<Recorded> history(Instant since, int limit);

  /** The sequence of the newest event; 0 before the first. */
  long lastSequence();

  @Override
  void close();
}
