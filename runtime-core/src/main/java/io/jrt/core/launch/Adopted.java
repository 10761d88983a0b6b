package io.jrt.core.launch;

/** What was found in a keeper's directory after a restart. */
public sealed interface Adopted {
  /**
   * The keeper lives. The container may have ended meanwhile: then its exit is known at once, the
   * output not yet read is still there, and the keeper waits for the acknowledgement.
   */
  record Held(LiveContainer container) implements Adopted {}

  /** The keeper is gone, having written how the container ended. */
  record Ended(ExitRecord exit) implements Adopted {}

  /** The start never got as far as the container's program. Nothing runs. */
  record NeverStarted() implements Adopted {}

  /** The keeper was killed: nobody saw, or will see, how the container ended. */
  record Lost() implements Adopted {}
}
