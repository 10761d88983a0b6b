package io.jrt.cli;

import io.jrt.admin.v1.Gpu;
import io.jrt.admin.v1.ListGpusRequest;
import io.jrt.admin.v1.ListGpusResponse;
import java.io.IOException;
import java.util.List;

/** {@code jrt gpu}. */
final class GpuCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of("gpu", "", "list GPUs and the containers that have them", List.of(), "gpu");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    ListGpusResponse answer =
        session
            .daemon()
            .admin("ListGpus", ListGpusRequest.getDefaultInstance(), ListGpusResponse.parser());
    if (!session.forPeople()) {
      session.print(answer);
      return 0;
    }
    Table table = new Table("DEVICE", "UUID", "MODEL", "DRIVER", "MEMORY", "BUSY", "CONTAINERS");
    for (Gpu gpu : answer.getGpusList()) {
      table.row(
          gpu.getCdiName(),
          gpu.getUuid().isEmpty() ? "-" : gpu.getUuid(),
          gpu.getName(),
          gpu.getDriver().isEmpty() ? "-" : gpu.getDriver(),
          gpu.getMemoryBytes() == 0
              ? "-"
              : Words.size(gpu.getMemoryUsed()) + " / " + Words.size(gpu.getMemoryBytes()),
          gpu.hasBusyPercent() ? gpu.getBusyPercent() + " %" : "-",
          gpu.getContainerIdsCount() == 0
              ? "-"
              : String.join(
                  ",",
                  gpu.getContainerIdsList().stream()
                      .map(id -> id.substring(0, Math.min(12, id.length())))
                      .toList()));
    }
    session.print(table);
    return 0;
  }
}
