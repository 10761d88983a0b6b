package io.jrt.server.config;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.streaming.StreamingConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** How kubectl exec, attach and port-forward reach containers. */
public record StreamingSection(
    @Doc("The address to listen on; the kubelet must reach it.") String host,
    @Doc("The port to listen on; 0 takes a free one.") int port,
    @Doc("PEM file with the certificate chain; empty: no TLS.") String tlsCertificate,
    @Doc("PEM file with the key of the certificate.") String tlsKey,
    @Doc("A connection without a byte for so long is closed.") Duration idleTimeout,
    @Doc("How long a client may take to open the streams that it asked for.")
        Duration creationTimeout,
    @Doc("How long a URL that was given out can be used.") Duration tokenLifetime) {

  public static final StreamingSection DEFAULT = of(StreamingConfig.defaults());

  private static StreamingSection of(StreamingConfig config) {
    return new StreamingSection(
        config.host(),
        config.port(),
        "",
        "",
        config.idleTimeout(),
        config.creationTimeout(),
        config.tokenLifetime());
  }

  /** As the streaming server takes it. */
  public StreamingConfig toStreaming() {
    if (tlsCertificate.isEmpty() != tlsKey.isEmpty()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "read configuration",
          "streaming.tls-certificate and streaming.tls-key go together");
    }
    Optional<StreamingConfig.Tls> tls =
        tlsCertificate.isEmpty()
            ? Optional.empty()
            : Optional.of(new StreamingConfig.Tls(Path.of(tlsCertificate), Path.of(tlsKey)));
    return new StreamingConfig(host, port, tls, idleTimeout, creationTimeout, tokenLifetime);
  }
}
