package io.jrt.server.streaming;

import java.util.Optional;

/**
 * A sub-protocol of WebSocket for remotecommand and port-forward.
 *
 * @param version of remotecommand, 1 to 5
 * @param base64 whether messages are text: a digit for the channel, then base64
 */
record WebSocketProtocol(String name, int version, boolean base64) {
  /** SPDY inside binary messages, for port-forward. */
  static final String TUNNEL = "SPDY/3.1+portforward.k8s.io";

  static Optional<WebSocketProtocol> named(String name) {
    return switch (name) {
      case "", "channel.k8s.io" -> Optional.of(new WebSocketProtocol(name, 1, false));
      case "base64.channel.k8s.io" -> Optional.of(new WebSocketProtocol(name, 1, true));
      case "v4.channel.k8s.io" -> Optional.of(new WebSocketProtocol(name, 4, false));
      case "v4.base64.channel.k8s.io" -> Optional.of(new WebSocketProtocol(name, 4, true));
      case "v5.channel.k8s.io" -> Optional.of(new WebSocketProtocol(name, 5, false));
      default -> Optional.empty();
    };
  }
}
