package io.jrt.cli;

import io.jrt.admin.v1.LayerProgress;
import io.jrt.admin.v1.ListPullsRequest;
import io.jrt.admin.v1.ListPullsResponse;
import io.jrt.admin.v1.PullProgress;
import io.jrt.admin.v1.PullUnderWay;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** {@code jrt pulls}: also those that the kubelet asked for. */
final class PullsCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of("pulls", "", "list the pulls under way, whoever asked", List.of(), "pulls");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    ListPullsResponse answer =
        session
            .daemon()
            .admin("ListPulls", ListPullsRequest.getDefaultInstance(), ListPullsResponse.parser());
    if (!session.forPeople()) {
      session.print(answer);
      return 0;
    }
    Table table = new Table("IMAGE", "PHASE", "DONE", "OF", "SPEED", "SINCE", "DETAIL");
    Instant now = Instant.now();
    for (PullUnderWay pull : answer.getPullsList()) {
      PullProgress progress = pull.getProgress();
      long done = progress.getLayersList().stream().mapToLong(LayerProgress::getBytes).sum();
      long total = progress.getLayersList().stream().mapToLong(LayerProgress::getTotal).sum();
      table.row(
          progress.getReference(),
          PullProgressView.word(progress.getPhase()),
          Words.size(done),
          total > 0 ? Words.size(total) : "-",
          Words.size(progress.getBytesPerSecond()) + "/s",
          Words.age(pull.getSince(), now),
          progress.getDetail());
    }
    session.print(table);
    return 0;
  }
}
