package io.jrt.cli;

import io.jrt.admin.v1.Fact;
import io.jrt.admin.v1.WhyRequest;
import io.jrt.admin.v1.WhyResponse;
import io.jrt.cli.rpc.RpcException;
import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.PodSandbox;
import java.io.IOException;
import java.util.List;

/** {@code jrt why}. */
final class WhyCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "why",
        "CONTAINER|POD",
        "tell how a container or a pod came to be as it is, also when it is gone",
        List.of(),
        "why web");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    String word = arguments.one("container or pod");
    Objects objects = Objects.of(session.daemon());
    // What is gone the daemon knows by its events, and by the name it had.
    String name =
        objects
            .findContainer(word)
            .map(Container::getId)
            .or(() -> objects.findPod(word).map(PodSandbox::getId))
            .orElse(word);
    WhyResponse answer;
    try {
      answer =
          session
              .daemon()
              .admin("Why", WhyRequest.newBuilder().setName(name).build(), WhyResponse.parser());
    } catch (RpcException e) {
      if (e.code() == RpcException.Code.NOT_FOUND) {
        objects.pod(word); // says what it may have been
      }
      throw e;
    }
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
