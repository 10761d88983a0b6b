package io.jrt.server.admin;

import io.jrt.admin.v1.ExecRequest;
import io.jrt.admin.v1.ExecResponse;
import io.jrt.core.Bytes;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStatus;
import io.jrt.core.EnvVar;
import io.jrt.core.ExecChanges;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.streaming.StreamingServer;
import java.util.ArrayList;
import java.util.List;

/** Gives a URL for a command of which people say more than CRI can. */
final class Exec {
  private static final String STEP = "exec";

  private final ContainerRuntime runtime;
  private final StreamingServer streaming;

  Exec(ContainerRuntime runtime, StreamingServer streaming) {
    this.runtime = runtime;
    this.streaming = streaming;
  }

  ExecResponse handle(ExecRequest request) {
    if (request.getCommandCount() == 0) {
      throw new JrtException(ErrorKind.INVALID, STEP, "command is empty");
    }
    ContainerStatus container = runtime.containerStatus(request.getContainerId());
    if (!(container.state() instanceof ContainerState.Running)) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, STEP, "container " + container.id() + " is not running");
    }
    String[] user = request.getUser().split(":", 2);
    List<EnvVar> environment = new ArrayList<>();
    for (String variable : request.getEnvironmentList()) {
      int equals = variable.indexOf('=');
      if (equals < 1) {
        throw new JrtException(
            ErrorKind.INVALID, STEP, "environment \"%s\" is not NAME=value".formatted(variable));
      }
      environment.add(EnvVar.of(variable.substring(0, equals), variable.substring(equals + 1)));
    }
    return ExecResponse.newBuilder()
        .setUrl(
            streaming
                .exec(
                    container.id(),
                    new io.jrt.core.ExecRequest(
                        Bytes.listOf(request.getCommandList()),
                        request.getTty(),
                        request.getStdin(),
                        true,
                        !request.getTty(),
                        new ExecChanges(
                            user[0],
                            user.length > 1 ? user[1] : "",
                            request.getWorkingDirectory(),
                            environment)))
                .toString())
        .build();
  }
}
