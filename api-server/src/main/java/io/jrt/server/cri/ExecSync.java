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
import java.time.Duration;
import java.util.concurrent.Semaphore;

/** Runs a command in a container and waits for it. */
final class ExecSync {
  private final ContainerRuntime runtime;

  /** One at a time: such an answer is in memory twice, on its way from the file to the client. */
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
      Answers.one(client, answer(result));
    }
  }

  private void answerInTurn(ExecResult result, Sink<ExecSyncResponse> client) {
    try (result) {
      largeAnswer.acquire();
      try {
        client.sendLast(answer(result));
      } finally {
        largeAnswer.release();
      }
    } catch (InterruptedException e) {
      throw new JrtException(ErrorKind.CANCELLED, "answer", "the client left", e);
    }
  }

  private static ExecSyncResponse answer(ExecResult result) {
    return ExecSyncResponse.newBuilder()
        .setStdout(bytes(result.stdout()))
        .setStderr(bytes(result.stderr()))
        .setExitCode(result.exitCode())
        .build();
  }

  /** The array is nobody else's: no copy is needed. */
  private static ByteString bytes(CommandOutput output) {
    return UnsafeByteOperations.unsafeWrap(output.toArray());
  }
}
