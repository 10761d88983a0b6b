package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.RuntimeInfo;
import io.jrt.cri.v1.RuntimeCondition;
import io.jrt.cri.v1.RuntimeFeatures;
import io.jrt.cri.v1.RuntimeHandler;
import io.jrt.cri.v1.RuntimeHandlerFeatures;
import io.jrt.cri.v1.RuntimeStatus;
import io.jrt.cri.v1.StatusRequest;
import io.jrt.cri.v1.StatusResponse;
import java.util.Map;
import java.util.function.Supplier;

/** Whether the runtime and its network are ready, and what it can do. */
final class Status {
  private final ContainerRuntime runtime;
  private final Supplier<Map<String, String>> details;

  Status(ContainerRuntime runtime, Supplier<Map<String, String>> details) {
    this.runtime = runtime;
    this.details = details;
  }

  StatusResponse handle(StatusRequest request) {
    RuntimeInfo info = runtime.info();
    StatusResponse.Builder response =
        StatusResponse.newBuilder()
            .setStatus(
                RuntimeStatus.newBuilder()
                    .addAllConditions(runtime.conditions().stream().map(Status::toCri).toList()))
            .addAllRuntimeHandlers(
                info.runtimeHandlers().stream().map(name -> handler(name, info)).toList())
            .setFeatures(
                RuntimeFeatures.newBuilder()
                    .setSupplementalGroupsPolicy(true)
                    .setMountOptions(true));
    if (request.getVerbose()) {
      details.get().forEach(response::putInfo);
    }
    return response.build();
  }

  private static RuntimeHandler handler(String name, RuntimeInfo info) {
    return RuntimeHandler.newBuilder()
        .setName(name)
        .setFeatures(
            RuntimeHandlerFeatures.newBuilder()
                .setRecursiveReadOnlyMounts(info.recursiveReadOnlyMounts())
                .setUserNamespaces(info.userNamespaces()))
        .build();
  }

  private static RuntimeCondition toCri(io.jrt.core.RuntimeCondition condition) {
    return RuntimeCondition.newBuilder()
        .setType(condition.type())
        .setStatus(condition.status())
        .setReason(condition.reason())
        .setMessage(condition.message())
        .build();
  }
}
