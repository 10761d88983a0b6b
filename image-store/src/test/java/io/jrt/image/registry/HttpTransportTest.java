package io.jrt.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

class HttpTransportTest {
  @Test
  void namesThatOnlyLookLikeLoopbackAreNot() {
    for (String host : List.of("localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]")) {
      assertThat(HttpTransport.isLoopback(host)).as(host).isTrue();
    }
    for (String host : List.of("127.example.org", "127.0.0.1.example.org", "localhost.example")) {
      assertThat(HttpTransport.isLoopback(host)).as(host).isFalse();
    }
  }

  @Test
  void ssrf_addressesThatOnlyTheNodeReachesAreDenied() {
    URI registry = URI.create("http://registry.example:5000/v2/");
    for (String target :
        List.of(
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data",
            "http://[fe80::1]/",
            "http://0.0.0.0/",
            "http://224.0.0.1/",
            "file:///etc/shadow",
            "gopher://10.0.0.1/")) {
      assertThatThrownBy(() -> HttpTransport.requireReachable(registry, URI.create(target)))
          .as(target)
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DENIED));
    }
    HttpTransport.requireReachable(registry, URI.create("http://10.1.2.3/"));
    // Who is on loopback itself may name loopback.
    HttpTransport.requireReachable(
        URI.create("http://127.0.0.1:5000/v2/"), URI.create("http://127.0.0.1:5001/token"));
    assertThatThrownBy(
            () ->
                HttpTransport.requireReachable(
                    URI.create("https://127.example.org/v2/"), URI.create("https://127.0.0.1/")))
        .hasMessageContaining("which only this node reaches");
  }
}
