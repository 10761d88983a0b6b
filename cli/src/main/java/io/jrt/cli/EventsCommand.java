package io.jrt.cli;

import io.jrt.admin.v1.EventsRequest;
import io.jrt.admin.v1.EventsResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code jrt events}. */
final class EventsCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "events",
        "",
        "show what happens, and what happened",
        List.of(
            Flag.option("since", "TIME", "begin in the past: 10m, 2h, or an RFC 3339 time"),
            Flag.toggle("no-follow", "end after what has happened"),
            Flag.option('f', "filter", "KEY=VALUE", "event or object")),
        "events --since 10m --filter event=ContainerExited");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    EventsRequest.Builder request =
        EventsRequest.newBuilder()
            .setFollow(!arguments.has("no-follow"))
            .setSince(arguments.value("since").map(LogsCommand::since).orElse(0L));
    for (String text : arguments.values("filter")) {
      Filter filter = Filter.parse(text);
      switch (filter.key()) {
        case "event" -> request.addNames(filter.value());
        case "object" -> request.setObject(filter.value());
        default -> throw new UsageException("no filter " + filter.key() + "; event and object");
      }
    }
    try (Daemon.Answers<EventsResponse> answers =
        session.daemon().adminStream("Events", request.build(), EventsResponse.parser())) {
      for (Optional<EventsResponse> next = answers.next();
          next.isPresent();
          next = answers.next()) {
        EventsResponse event = next.get();
        if (event.getMissed() > 0) {
          session.err().println("jrt: " + event.getMissed() + " events were missed here");
        }
        if (session.forPeople()) {
          session
              .out()
              .println(
                  LogsCommand.time(event.getAt())
                      + " "
                      + event.getName()
                      + " "
                      + Words.shortId(event.getObject())
                      + " "
                      + event.getJson());
        } else {
          session.out().println(event.getJson());
        }
        session.out().flush();
      }
    }
    return 0;
  }
}
