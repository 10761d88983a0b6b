package io.jrt.events;

import java.time.Duration;
import java.util.Optional;

/** One reader of events. It is read by one thread; closing it wakes that thread. */
public interface Subscription extends AutoCloseable {

  /** Waits for the next delivery; empty when the time is up or the subscription was closed. */
  Optional<Delivery> next(Duration patience) throws InterruptedException;

  /** Whether it was closed, by its reader or because the bus was. */
  boolean isClosed();

  @Override
  void close();
}
