package io.jrt.core.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.Deadline;
import io.jrt.core.OperationInfo;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.FailPoints;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class OperationsTest {
  private static final Deadline SOON = Deadline.after(Duration.ofSeconds(20));
  private final FailPoints failPoints = FailPoints.none();
  private final Operations operations = new Operations(failPoints);

  @Test
  void equalRetryJoinsTheOneUnderWay() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger runs = new AtomicInteger();
    Operations.Body<String> body =
        operation -> {
          runs.incrementAndGet();
          operation.step("wait");
          await(go);
          return "id";
        };
    // The first caller leaves early; the operation goes on.
    assertThatThrownBy(
            () ->
                operations.run(
                    "pod/a",
                    "run pod",
                    1,
                    Deadline.after(Duration.ofMillis(30)),
                    String.class,
                    body))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEADLINE))
        .hasMessageContaining("step \"wait\"");
    Thread release =
        Thread.ofVirtual()
            .start(
                () -> {
                  while (operations.list().stream().noneMatch(info -> info.joined() == 1)) {
                    Thread.onSpinWait();
                  }
                  go.countDown();
                });
    assertThat(operations.run("pod/a", "run pod", 1, SOON, String.class, body)).isEqualTo("id");
    release.join();
    assertThat(runs).hasValue(1);
    assertThat(operations.list()).isEmpty();
  }

  @Test
  void differentRequestOnTheSameObjectWaitsForItsTurn() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger order = new AtomicInteger();
    Thread first =
        Thread.ofVirtual()
            .start(
                () ->
                    operations.run(
                        "c",
                        "stop",
                        1,
                        SOON,
                        operation -> {
                          await(go);
                          order.compareAndSet(0, 1);
                        }));
    while (operations.list().isEmpty()) {
      Thread.onSpinWait();
    }
    Thread second =
        Thread.ofVirtual()
            .start(() -> operations.run("c", "remove", 1, SOON, _ -> order.compareAndSet(1, 2)));
    go.countDown();
    first.join();
    second.join();
    assertThat(order).hasValue(2);
  }

  @Test
  void listShowsStepAndKey() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    Thread thread =
        Thread.ofVirtual()
            .start(
                () ->
                    operations.run(
                        "container/x",
                        "start container",
                        1,
                        SOON,
                        operation -> {
                          operation.step("mount rootfs");
                          await(go);
                        }));
    List<OperationInfo> infos = operations.list();
    while (infos.isEmpty() || infos.getFirst().step().equals("begin")) {
      infos = operations.list();
    }
    assertThat(infos.getFirst().key()).isEqualTo("container/x");
    assertThat(infos.getFirst().step()).isEqualTo("mount rootfs");
    go.countDown();
    thread.join();
  }

  @Test
  void failPointNamesOperationAndStep() {
    failPoints.arm("start-container.mount-rootfs", FailPoints.Action.FAIL);
    assertThatThrownBy(
            () ->
                operations.run(
                    "c", "start container", 1, SOON, operation -> operation.step("mount rootfs")))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("start-container.mount-rootfs");
    assertThat(failPoints.seen()).containsExactly("start-container.mount-rootfs");
    failPoints.disarm("start-container.mount-rootfs");
    operations.run("c", "start container", 1, SOON, operation -> operation.step("mount rootfs"));
  }

  @Test
  void nthHitOnly() {
    FailPoints points = FailPoints.parse("a.b=3*fail; c=delay(1)");
    points.hit("a.b");
    points.hit("a.b");
    assertThatThrownBy(() -> points.hit("a.b")).isInstanceOf(JrtException.class);
    points.hit("a.b");
    points.hit("c");
    assertThatThrownBy(() -> FailPoints.parse("a=explode")).hasMessageContaining("malformed");
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
