package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class SyncGroupTest {
  @Test
  void manyAtOnceShareASync() throws Exception {
    var runs = new AtomicInteger();
    var go = new CountDownLatch(1);
    SyncGroup group =
        new SyncGroup(
            () -> {
              runs.incrementAndGet();
              Waiting.quietly(go);
            });
    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      callers.add(Thread.ofPlatform().start(() -> group.sync(group.mark())));
    }
    Waiting.until(
        "one syncs and the others wait",
        () ->
            runs.get() > 0
                && callers.stream().noneMatch(t -> t.getState() == Thread.State.RUNNABLE));
    go.countDown();
    for (Thread caller : callers) {
      caller.join();
    }
    assertThat(runs.get()).isBetween(2, 3);
  }

  @Test
  void aWriteErrorIsToldToAllWhoWroteBefore() {
    var broken = new AtomicBoolean(true);
    SyncGroup group =
        new SyncGroup(
            () -> {
              if (broken.getAndSet(false)) {
                throw new IllegalStateException("EIO");
              }
            });
    long before = group.mark();
    assertThatThrownBy(() -> group.sync(before)).hasMessage("EIO");
    assertThatThrownBy(() -> group.sync(before)).hasMessage("EIO");
    assertThatCode(() -> group.sync(group.mark())).doesNotThrowAnyException();
  }

  @Test
  void anErrorOfASyncInTheBackgroundIsNotLost() throws Exception {
    var broken = new AtomicBoolean(true);
    var told = new CountDownLatch(1);
    SyncGroup group =
        new SyncGroup(
            () -> {
              if (broken.getAndSet(false)) {
                told.countDown();
                throw new IllegalStateException("EIO");
              }
            });
    long before = group.mark();
    group.ahead();
    told.await();
    assertThatThrownBy(() -> group.sync(before)).hasMessage("EIO");
  }
}
