package io.jrt.server.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Set;

/** Where the daemon tells what it does, and how long that took, as OpenTelemetry traces. */
public record TracesConfig(
    @Doc(
            "Where a collector takes OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces;"
                + " empty: no traces.")
        String endpoint,
    @Doc(
            "How many of a hundred calls that bring no trace of their own begin one; a call that"
                + " brings one (traceparent, as the kubelet sends it) is recorded if that says so.")
        int samplePercent) {

  public static final TracesConfig DEFAULT = new TracesConfig("", 100);

  public TracesConfig {
    if (samplePercent < 0 || samplePercent > 100) {
      throw new IllegalArgumentException(
          "sample-percent %d is not from 0 to 100".formatted(samplePercent));
    }
    if (!endpoint.isEmpty() && !isUrl(endpoint)) {
      throw new IllegalArgumentException(
          "endpoint '%s' is no URL of http or https".formatted(endpoint));
    }
  }

  private static boolean isUrl(String text) {
    try {
      URI uri = new URI(text);
      return uri.getHost() != null && Set.of("http", "https").contains(uri.getScheme());
    } catch (URISyntaxException e) {
      return false;
    }
  }
}
