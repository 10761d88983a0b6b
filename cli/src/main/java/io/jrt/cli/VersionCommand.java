package io.jrt.cli;

import io.jrt.cri.v1.VersionRequest;
import io.jrt.cri.v1.VersionResponse;
import java.io.IOException;
import java.util.List;

/** {@code jrt version}. */
final class VersionCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of("version", "", "show the versions of client and daemon", List.of(), "version");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    VersionResponse version =
        session
            .daemon()
            .runtime(
                "Version",
                VersionRequest.newBuilder().setVersion("v1").build(),
                VersionResponse.parser());
    if (!session.forPeople()) {
      session.print(version);
      return 0;
    }
    session.out().println("client  " + Jrt.version());
    session
        .out()
        .println("daemon  " + version.getRuntimeName() + " " + version.getRuntimeVersion());
    session.out().println("CRI     " + version.getRuntimeApiVersion());
    return 0;
  }
}
