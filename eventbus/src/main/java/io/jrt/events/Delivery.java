package io.jrt.events;

/** What a subscriber is handed next. */
public sealed interface Delivery {

  /** An event. */
  record Happened(Recorded recorded) implements Delivery {}

  /**
   * Events that this subscriber will not see, because it read too slowly or asked for older ones
   * than are kept.
   *
   * @param count how many
   * @param nextSequence the sequence of the event that follows
   */
  record Missed(long count, long nextSequence) implements Delivery {}
}
