package io.jrt.cli;

import io.jrt.admin.v1.PruneRequest;
import java.io.IOException;
import java.util.List;

/** {@code jrt container prune}. */
final class ContainerPruneCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "container prune",
        "",
        "remove containers that ended",
        List.of(Flag.toggle("dry-run", "only tell what would go")),
        "container prune");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    PruneCommand.prune(
        session,
        PruneRequest.newBuilder().setContainers(true).setDryRun(arguments.has("dry-run")).build());
    return 0;
  }
}
