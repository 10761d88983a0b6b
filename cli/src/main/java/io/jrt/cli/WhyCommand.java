package io.jrt.cli;

import io.jrt.admin.v1.Fact;
import io.jrt.admin.v1.WhyRequest;
import io.jrt.admin.v1.WhyResponse;
import java.io.IOException;
import java.util.List;

/** {@code jrt why}. */
final class WhyCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "why",
        "CONTAINER|POD",
        "tell how a container or a pod came to be as it is",
        List.of(),
        "why web");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    String word = arguments.one("container or pod");
    Objects objects = Objects.of(session.daemon());
    String id =
        objects.findContainer(word).map(c -> c.getId()).orElseGet(() -> objects.pod(word).getId());
    WhyResponse answer =
        session
            .daemon()
            .admin("Why", WhyRequest.newBuilder().setName(id).build(), WhyResponse.parser());
    if (!session.forPeople()) {
      session.print(answer);
      return 0;
    }
    session.out().println(answer.getVerdict());
    if (!answer.getHint().isEmpty()) {
      session.out().println("  " + answer.getHint());
    }
    for (Fact fact : answer.getFactsList()) {
      session.out().println("  " + LogsCommand.time(fact.getAt()) + "  " + fact.getText());
    }
    return 0;
  }
}
