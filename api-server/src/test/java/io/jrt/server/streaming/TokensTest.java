package io.jrt.server.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TokensTest {
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 10);
  private final Tokens tokens = new Tokens(Duration.ofMinutes(1), now::get);
  private final StreamRequest request = new StreamRequest.PortForward("pod", List.of(80));

  @Test
  void aTokenWorksOnceWithinItsMinute() {
    String token = tokens.issue(request);
    assertThat(token).matches("[A-Za-z0-9_-]{8,}");
    now.addAndGet(Duration.ofSeconds(59).toNanos());
    assertThat(tokens.redeem("exec", token)).isEmpty();
    assertThat(tokens.redeem("portforward", token)).contains(request);
    assertThat(tokens.redeem("portforward", token)).isEmpty();
  }

  @Test
  void aTokenExpires() {
    String token = tokens.issue(request);
    now.addAndGet(Duration.ofSeconds(60).toNanos());
    assertThat(tokens.redeem("portforward", token)).isEmpty();
  }

  @Test
  void expiredTokensMakeRoom() {
    for (int i = 0; i < Tokens.LIMIT; i++) {
      tokens.issue(request);
    }
    now.addAndGet(Duration.ofMinutes(2).toNanos());
    assertThat(tokens.issue(request)).isNotEmpty();
  }
}
