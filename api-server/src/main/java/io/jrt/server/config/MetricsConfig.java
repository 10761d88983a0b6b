package io.jrt.server.config;

/** Where the daemon's own metrics can be read. */
public record MetricsConfig(
    @Doc(
            "Where Prometheus reads /metrics: 127.0.0.1:PORT, [::1]:PORT or unix:PATH; empty:"
                + " nowhere. There is no log-in, so that only loopback is accepted.")
        String address) {

  public static final MetricsConfig DEFAULT = new MetricsConfig("");
}
