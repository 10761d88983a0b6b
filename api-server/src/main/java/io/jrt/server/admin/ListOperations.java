package io.jrt.server.admin;

import io.jrt.admin.v1.ListOperationsRequest;
import io.jrt.admin.v1.ListOperationsResponse;
import io.jrt.admin.v1.Operation;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.OperationInfo;

/** What is under way, oldest first. */
final class ListOperations {
  private final ContainerRuntime runtime;

  ListOperations(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ListOperationsResponse handle(ListOperationsRequest request) {
    return ListOperationsResponse.newBuilder()
        .addAllOperations(runtime.operations().stream().map(ListOperations::operation).toList())
        .build();
  }

  private static Operation operation(OperationInfo info) {
    return Operation.newBuilder()
        .setKey(info.key())
        .setName(info.name())
        .setStep(info.step())
        .setSince(Times.nanos(info.since()))
        .setStepSince(Times.nanos(info.stepSince()))
        .setDeadline(info.deadline().map(Times::nanos).orElse(0L))
        .setThread(info.thread())
        .setJoined(info.joined())
        .build();
  }
}
