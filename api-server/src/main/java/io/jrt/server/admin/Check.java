package io.jrt.server.admin;

import io.jrt.admin.v1.CheckRequest;
import io.jrt.admin.v1.CheckResponse;
import io.jrt.admin.v1.Discrepancy;
import io.jrt.core.ContainerRuntime;

/** Compares what is recorded with what there is. */
final class Check {
  private final ContainerRuntime runtime;

  Check(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  CheckResponse handle(CheckRequest request) {
    CheckResponse.Builder response = CheckResponse.newBuilder();
    runtime
        .check(request.getRepair())
        .forEach(
            found ->
                response.addDiscrepancies(
                    Discrepancy.newBuilder()
                        .setSubject(found.subject())
                        .setProblem(found.problem())
                        .setRemedy(found.remedy())
                        .setRepaired(found.repaired())));
    return response.build();
  }
}
