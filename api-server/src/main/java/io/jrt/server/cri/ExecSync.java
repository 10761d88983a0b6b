package io.jrt.server.cri;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.jrt.core.Bytes;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ExecResult;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ExecSyncResponse;
import java.time.Duration;

/** Runs a command in a container and waits for it. */
final class ExecSync {
  private final ContainerRuntime runtime;

  ExecSync(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ExecSyncResponse handle(ExecSyncRequest request) {
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
    return ExecSyncResponse.newBuilder()
        .setStdout(bytes(result.stdout()))
        .setStderr(bytes(result.stderr()))
        .setExitCode(result.exitCode())
        .build();
  }

  /** The copy that {@link Bytes#toArray} makes is nobody else's: no second one is needed. */
  private static ByteString bytes(Bytes output) {
    return UnsafeByteOperations.unsafeWrap(output.toArray());
  }
}
