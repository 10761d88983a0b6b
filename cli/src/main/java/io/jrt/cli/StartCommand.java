package io.jrt.cli;

import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.ContainerState;
import java.io.IOException;
import java.util.List;

/** {@code jrt start}: a container runs once, as Kubernetes has it. */
final class StartCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "start",
        "CONTAINER…",
        "start created containers",
        List.of(Flag.toggle('a', "attach", "join its output and end with its exit code")),
        "start later");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    List<String> words = arguments.atLeastOne("container");
    boolean attach = arguments.has("attach");
    if (attach && words.size() > 1) {
      throw new UsageException("one container can be attached to, not " + words.size());
    }
    int code = 0;
    for (String word : words) {
      Container container = Objects.of(session.daemon()).container(word);
      if (container.getState() != ContainerState.CONTAINER_CREATED) {
        throw new UsageException(
            "container %s is %s, and a container runs once: jrt run makes a new one"
                .formatted(word, PsCommand.plain(container.getState())));
      }
      if (attach) {
        code =
            RunCommand.join(session, container.getId(), false, false).orElse(Interactive.DETACHED);
      } else {
        RunCommand.start(session, container.getId());
        session.out().println(word);
      }
    }
    return code;
  }
}
