package io.jrt.cli;

import io.jrt.admin.v1.StatsRequest;
import io.jrt.admin.v1.StatsResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code jrt stats}: what containers use, over the time between two looks. */
final class StatsCommand implements Command {
  private static final long BETWEEN_MILLIS = 500;

  @Override
  public Spec spec() {
    return Spec.of(
        "stats", "[POD|CONTAINER...]", "show what containers use", List.of(), "stats 3f2a -o json");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    StatsRequest request =
        StatsRequest.newBuilder()
            .addAllNames(arguments.rest())
            .setInterval(session.forPeople() ? BETWEEN_MILLIS : 0)
            .build();
    UseHistory history = new UseHistory();
    try (Daemon.Answers<StatsResponse> answers =
        session.daemon().adminStream("Stats", request, StatsResponse.parser())) {
      Optional<StatsResponse> first = answers.next();
      if (first.isEmpty()) {
        return 0;
      }
      if (!session.forPeople()) {
        session.print(first.get());
        return 0;
      }
      // Rates need two looks.
      history.add(first.get());
      answers.next().ifPresent(history::add);
    }
    session.print(history.table(false));
    return 0;
  }
}
