package io.jrt.events;

import java.util.List;

/** What happened to a pod's network, or to the node's as far as jrt has to do with it. */
public sealed interface NetworkEvent extends Event {

  /** A pod got its interfaces and addresses. */
  record Attached(String podId, String provider, List<String> ips) implements NetworkEvent {
    public Attached {
      ips = List.copyOf(ips);
    }

    @Override
    public String object() {
      return podId;
    }
  }

  /** A pod's interfaces and addresses were given back. */
  record Detached(String podId) implements NetworkEvent {
    @Override
    public String object() {
      return podId;
    }
  }

  /** The network became usable or unusable. */
  record Readiness(boolean ready, String reason, String message) implements NetworkEvent {
    @Override
    public String object() {
      return "network";
    }
  }
}
