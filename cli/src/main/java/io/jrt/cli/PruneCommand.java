package io.jrt.cli;

import io.jrt.admin.v1.PruneRequest;
import io.jrt.admin.v1.PruneResponse;
import java.io.IOException;
import java.util.List;

/** {@code jrt prune}. */
final class PruneCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "prune",
        "",
        "remove what nobody needs",
        List.of(
            Flag.toggle("images", "images that no container uses"),
            Flag.toggle("containers", "containers that ended"),
            Flag.toggle("pods", "pods that were stopped"),
            Flag.toggle("volumes", "named volumes that no container uses"),
            Flag.toggle("dry-run", "only tell what would go")),
        "prune --images --dry-run");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    PruneRequest request =
        PruneRequest.newBuilder()
            .setImages(arguments.has("images"))
            .setContainers(arguments.has("containers"))
            .setPods(arguments.has("pods"))
            .setVolumes(arguments.has("volumes"))
            .setDryRun(arguments.has("dry-run"))
            .build();
    if (!request.getImages()
        && !request.getContainers()
        && !request.getPods()
        && !request.getVolumes()) {
      throw new UsageException("prune what? --images, --containers, --pods, --volumes");
    }
    prune(session, request);
    return 0;
  }

  static void prune(Session session, PruneRequest request) throws IOException {
    PruneResponse answer = session.daemon().admin("Prune", request, PruneResponse.parser());
    if (!session.forPeople()) {
      session.print(answer);
      return;
    }
    session.lines(answer.getRemovedList());
    if (answer.getFreedBytes() > 0) {
      session.out().println("freed " + Words.size(answer.getFreedBytes()));
    }
  }
}
