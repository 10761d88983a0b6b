package io.jrt.server.streaming;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How the streaming server listens.
 *
 * @param host the address it listens on, which is also the host in the URLs
 * @param port its port; 0 takes a free one
 * @param tls certificate and key when it speaks HTTPS
 * @param idleTimeout how long a connection may be without a byte before it is closed
 * @param creationTimeout how long a client may take to open the streams it asked for
 * @param tokenLifetime how long a URL can be used for
 */
public record StreamingConfig(
    String host,
    int port,
    Optional<Tls> tls,
    Duration idleTimeout,
    Duration creationTimeout,
    Duration tokenLifetime) {

  /** PEM files of the server's certificate chain and PKCS#8 key. */
  public record Tls(Path certificate, Path key) {}

  /** Loopback, no TLS, and the times that the kubelet and containerd use. */
  public static StreamingConfig defaults() {
    return new StreamingConfig(
        "127.0.0.1",
        0,
        Optional.empty(),
        Duration.ofHours(4),
        Duration.ofSeconds(30),
        Duration.ofMinutes(1));
  }
}
