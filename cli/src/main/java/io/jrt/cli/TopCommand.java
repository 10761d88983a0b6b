package io.jrt.cli;

import io.jrt.admin.v1.StatsRequest;
import io.jrt.admin.v1.StatsResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** {@code jrt top}: what containers use, the busiest first, again and again. */
final class TopCommand implements Command {
  private static final String CLEAR = "\033[H\033[2J";

  @Override
  public Spec spec() {
    return Spec.of(
        "top",
        "[POD|CONTAINER...]",
        "watch what containers use, the busiest first",
        List.of(
            Flag.option('d', "delay", "TIME", "between two looks; 2s if not given"),
            Flag.option('n', "times", "COUNT", "end after so many; 0: never")),
        "top --delay 1s --times 10");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    Duration delay = arguments.value("delay").map(Words::duration).orElse(Duration.ofSeconds(2));
    int times = arguments.value("times").map(TopCommand::count).orElse(0);
    StatsRequest request =
        StatsRequest.newBuilder()
            .addAllNames(arguments.rest())
            .setInterval(Math.max(100, delay.toMillis()))
            .build();
    boolean moving = Terminal.isOutput();
    UseHistory history = new UseHistory();
    try (Daemon.Answers<StatsResponse> answers =
        session.daemon().adminStream("Stats", request, StatsResponse.parser())) {
      int shown = 0;
      for (Optional<StatsResponse> next = answers.next();
          next.isPresent() && (times == 0 || shown < times);
          next = answers.next()) {
        boolean first = history.isEmpty();
        history.add(next.get());
        if (!session.forPeople()) {
          session.print(next.get());
          shown++;
        } else if (!first) {
          show(session, history, moving);
          shown++;
        }
        session.out().flush();
      }
    }
    return 0;
  }

  private static int count(String text) {
    try {
      return Integer.parseUnsignedInt(text);
    } catch (NumberFormatException e) {
      throw new UsageException("times " + text + " is not a number");
    }
  }

  private static void show(Session session, UseHistory history, boolean moving) throws IOException {
    String text = history.summary() + "\n" + history.table(true).text();
    if (!moving) {
      session.out().print(text);
      return;
    }
    Terminal.Size size = Terminal.size();
    StringBuilder page = new StringBuilder(CLEAR);
    text.lines()
        .limit(Math.max(1, size.rows() - 1))
        .map(line -> line.length() > size.columns() ? line.substring(0, size.columns()) : line)
        .forEach(line -> page.append(line).append('\n'));
    session.out().print(page);
  }
}
