package io.jrt.events;

import java.util.List;

/** What happened to the daemon itself. */
public sealed interface DaemonEvent extends Event {
  @Override
  default String object() {
    return "daemon";
  }

  /** It serves requests. */
  record Started(String version, int pid) implements DaemonEvent {}

  /** It goes; containers stay. */
  record Stopping(String why) implements DaemonEvent {}

  /**
   * What the recovery at start found; one sentence for each finding that was not as it should be.
   */
  record Recovered(int pods, int containers, List<String> findings) implements DaemonEvent {
    public Recovered {
      findings = List.copyOf(findings);
    }
  }

  /** A new configuration is in force. */
  record ConfigReloaded(String file) implements DaemonEvent {}
}
