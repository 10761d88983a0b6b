package io.jrt.cli;

import io.jrt.admin.v1.Condition;
import io.jrt.admin.v1.InfoRequest;
import io.jrt.admin.v1.InfoResponse;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** {@code jrt info}. */
final class InfoCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of("info", "", "show the daemon and what it can do here", List.of(), "info");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    InfoResponse info =
        session.daemon().admin("Info", InfoRequest.getDefaultInstance(), InfoResponse.parser());
    if (!session.forPeople()) {
      session.print(info);
      return 0;
    }
    line(session, "version", info.getVersion() + ", process " + info.getPid());
    line(session, "up", Words.age(info.getStartedAt(), Instant.now()));
    line(session, "root", info.getRoot());
    line(session, "state", info.getState());
    line(session, "socket", info.getSocket());
    line(session, "config", info.getConfigFile().isEmpty() ? "defaults" : info.getConfigFile());
    line(session, "kernel", info.getKernel() + " " + info.getArchitecture());
    line(session, "cgroups", "v" + info.getCgroupVersion() + ", " + info.getCgroupDriver());
    line(session, "pods", String.valueOf(info.getPods()));
    line(
        session,
        "containers",
        info.getContainers() + ", " + info.getContainersRunning() + " running");
    line(session, "images", String.valueOf(info.getImages()));
    for (Condition condition : info.getConditionsList()) {
      line(
          session,
          condition.getType(),
          condition.getStatus()
              ? "yes"
              : "no: " + condition.getReason() + ": " + condition.getMessage());
    }
    info.getLimitationsList().forEach(limitation -> line(session, "limitation", limitation));
    info.getRecoveredList().forEach(sentence -> line(session, "recovered", sentence));
    return 0;
  }

  private static void line(Session session, String name, String value) {
    session.out().printf("%-14s %s%n", name, value);
  }
}
