package io.jrt.core.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TogetherTest {
  @Test
  void oneThatWaitsHoldsUpNoOther() throws Exception {
    CountDownLatch others = new CountDownLatch(200);
    Future<String> waiting;
    try (Together together = new Together("test")) {
      waiting =
          together.get(
              () -> {
                others.await();
                return "all others are done";
              });
      for (int i = 0; i < 200; i++) {
        together.run(others::countDown);
      }
    }
    assertThat(waiting.resultNow()).isEqualTo("all others are done");
  }

  @Test
  void whatFailsIsThrownWhenAllAreDone() {
    AtomicInteger done = new AtomicInteger();
    Together together = new Together("test");
    together.run(
        () -> {
          throw new IllegalArgumentException("the first");
        });
    together.run(
        () -> {
          throw new IllegalStateException("the second");
        });
    together.run(done::incrementAndGet);
    assertThatThrownBy(together::close)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the first")
        .hasSuppressedException(new IllegalStateException("the second"));
    assertThat(done).hasValue(1);
  }
}
