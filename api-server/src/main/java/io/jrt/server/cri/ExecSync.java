package io.jrt.server.cri;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.StreamObserver;
import io.jrt.core.Bytes;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ExecResult;
import io.jrt.core.io.CommandOutput;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/** Runs a command in a container and waits for it. */
final class ExecSync {
  /** How long an answer keeps others waiting whose client is slow to take it, or never does. */
  private static final Duration TURN = Duration.ofSeconds(5);

  private final ContainerRuntime runtime;

  /** One at a time: on its way to the client such an answer is in memory. */
  private final Semaphore largeAnswer = new Semaphore(1, true);

  ExecSync(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(ExecSyncRequest request, StreamObserver<ExecSyncResponse> client) {
    if (request.getCmdCount() == 0) {
      throw Requests.invalid("cmd is empty");
    }
    if (request.getTimeout() < 0) {
      throw Requests.invalid("timeout " + request.getTimeout() + " is negative");
    }
    ExecResult result =
        runtime.execSync(
            Requests.required(request.getContainerId(), "container_id"),
            Bytes.listOf(request.getCmdList()),
            Duration.ofSeconds(request.getTimeout()));
    if (result.stdout().isLarge() || result.stderr().isLarge()) {
      Answers.stream(client, sink -> answerInTurn(result, sink));
      return;
    }
    try (result) {
      Answers.one(client, answer(result, Arena.global()));
    }
  }

  private void answerInTurn(ExecResult result, Sink<ExecSyncResponse> client) {
    try (result) {
      largeAnswer.acquire();
      try (Arena arena = Arena.ofShared()) {
        boolean delivered;
        try {
          client.sendLast(answer(result, arena));
          delivered = client.awaitDelivery(TURN);
        } finally {
          largeAnswer.release();
        }
        while (!delivered) {
          delivered = client.awaitDelivery(TURN);
        }
      }
    } catch (InterruptedException e) {
      throw new JrtException(ErrorKind.CANCELLED, "answer", "the client left", e);
    }
  }

  private static ExecSyncResponse answer(ExecResult result, Arena arena) {
    return ExecSyncResponse.newBuilder()
        .setStdout(bytes(result.stdout(), arena))
        .setStderr(bytes(result.stderr(), arena))
        .setExitCode(result.exitCode())
        .build();
  }

  /** Without a copy. */
  private static ByteString bytes(CommandOutput output, Arena arena) {
    ByteString all = ByteString.EMPTY;
    for (ByteBuffer piece : output.view(arena)) {
      all = all.concat(UnsafeByteOperations.unsafeWrap(piece));
    }
    return all;
  }
}
