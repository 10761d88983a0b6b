package io.jrt.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.StreamObserver;
import io.jrt.cri.v1.RuntimeServiceGrpc;
import io.jrt.cri.v1.VersionRequest;
import io.jrt.cri.v1.VersionResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelfCheckTest {
  @TempDir private Path directory;

  @Test
  void aDaemonThatHangsIsNotAlive() {
    var released = new CountDownLatch(1);
    var hang = new AtomicBoolean();
    var hangs =
        new RuntimeServiceGrpc.RuntimeServiceImplBase() {
          @Override
          public void version(VersionRequest request, StreamObserver<VersionResponse> answer) {
            if (hang.get()) {
              try {
                released.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }
            answer.onNext(VersionResponse.newBuilder().setRuntimeName("jrt").build());
            answer.onCompleted();
          }
        };
    Path socket = directory.resolve("sock");
    try (UnixServer server =
            UnixServer.start(socket, OptionalInt.empty(), List.of(hangs), CallObserver.NONE);
        SelfCheck check = new SelfCheck(socket, Duration.ofSeconds(1))) {
      assertThat(server).isNotNull();
      assertThat(soon(check)).isTrue();
      hang.set(true);
      assertThat(check.getAsBoolean()).as("it hangs").isFalse();
      hang.set(false);
      released.countDown();
      assertThat(soon(check)).isTrue();
    }
  }

  @Test
  void nobodyThereIsNotAlive() {
    try (SelfCheck check = new SelfCheck(directory.resolve("none"), Duration.ofSeconds(1))) {
      assertThat(check.getAsBoolean()).isFalse();
    }
  }

  /** A busy machine may need more than one try. */
  private static boolean soon(SelfCheck check) {
    boolean alive = false;
    for (int i = 0; i < 20 && !alive; i++) {
      alive = check.getAsBoolean();
    }
    return alive;
  }
}
