package io.jrt.cli;

import io.jrt.admin.v1.LogLine;
import io.jrt.admin.v1.LogStream;
import io.jrt.admin.v1.LogsRequest;
import io.jrt.admin.v1.LogsResponse;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;

/** {@code jrt logs}. */
final class LogsCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "logs",
        "CONTAINER",
        "show what a container wrote",
        List.of(
            Flag.toggle('f', "follow", "go on with what it writes from now on"),
            Flag.option('n', "tail", "LINES", "only the last so many lines"),
            Flag.option("since", "TIME", "only what came after: 10m, 2h, or an RFC 3339 time"),
            Flag.toggle('t', "timestamps", "show when each line was written")),
        "logs -f --tail 20 web");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    String id = Objects.of(session.daemon()).container(arguments.one("container")).getId();
    LogsRequest request =
        LogsRequest.newBuilder()
            .setContainerId(id)
            .setFollow(arguments.has("follow"))
            .setTail(arguments.number("tail", -1))
            .setSince(arguments.value("since").map(LogsCommand::since).orElse(0L))
            .build();
    copy(session, request, arguments.has("timestamps"));
    return 0;
  }

  /** Copies a container's log to our own streams until it ends. */
  static void copy(Session session, LogsRequest request, boolean timestamps) throws IOException {
    try (Daemon.Answers<LogsResponse> answers =
        session.daemon().adminStream("Logs", request, LogsResponse.parser())) {
      boolean continued = false;
      for (Optional<LogsResponse> next = answers.next(); next.isPresent(); next = answers.next()) {
        for (LogLine line : next.get().getLinesList()) {
          PrintStream out =
              line.getStream() == LogStream.LOG_STREAM_STDERR ? session.err() : session.out();
          if (timestamps && !continued) {
            out.print(time(line.getAt()) + " ");
          }
          line.getText().writeTo(out);
          continued = line.getPartial();
          if (!continued) {
            out.write('\n');
          }
        }
        session.out().flush();
        session.err().flush();
      }
    }
  }

  static String time(long epochNanos) {
    Instant at = Instant.ofEpochSecond(epochNanos / 1_000_000_000, epochNanos % 1_000_000_000);
    return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(at.atZone(ZoneId.systemDefault()));
  }

  /** A moment: so long ago, or as RFC 3339 writes it; in nanoseconds since 1970. */
  static long since(String text) {
    Instant at;
    if (text.indexOf('T') > 0) {
      try {
        at = DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from);
      } catch (DateTimeParseException e) {
        throw new UsageException("time " + text + " is neither like 10m nor RFC 3339");
      }
    } else {
      at = Instant.now().minus(Words.duration(text));
    }
    return at.getEpochSecond() * 1_000_000_000 + at.getNano();
  }
}
