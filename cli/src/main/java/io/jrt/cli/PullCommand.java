package io.jrt.cli;

import io.jrt.admin.v1.ImageResult;
import io.jrt.admin.v1.PullRequest;
import io.jrt.admin.v1.PullResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code jrt pull}. */
final class PullCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "pull",
        "IMAGE",
        "fetch an image from a registry",
        List.of(
            Flag.option(
                "creds", "USER[:PASSWORD]", "credentials; without a password $JRT_PASSWORD"),
            Flag.option("platform", "OS/ARCH[/VARIANT]", "another platform than this machine's"),
            Flag.toggle('q', "quiet", "no progress")),
        "pull localhost:5000/app:1");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    ImageResult image =
        pull(
            session,
            arguments.one("image"),
            arguments.value("creds"),
            arguments.value("platform").orElse(""),
            arguments.has("quiet"));
    if (!session.forPeople()) {
      session.print(image);
    } else {
      session.out().println(image.getId());
    }
    return 0;
  }

  static ImageResult pull(
      Session session, String image, Optional<String> credentials, String platform, boolean quiet)
      throws IOException {
    PullRequest.Builder request = PullRequest.newBuilder().setImage(image).setPlatform(platform);
    if (credentials.isPresent()) {
      int colon = credentials.get().indexOf(':');
      request.setUsername(
          credentials.get().substring(0, colon < 0 ? credentials.get().length() : colon));
      String password =
          colon < 0 ? System.getenv("JRT_PASSWORD") : credentials.get().substring(colon + 1);
      request.setPassword(password == null ? "" : password);
    }
    PullProgressView view = new PullProgressView(session.err(), Terminal.isOutput());
    try (Daemon.Answers<PullResponse> answers =
        session.daemon().adminStream("Pull", request.build(), PullResponse.parser())) {
      ImageResult result = ImageResult.getDefaultInstance();
      for (Optional<PullResponse> next = answers.next(); next.isPresent(); next = answers.next()) {
        PullResponse answer = next.get();
        if (answer.hasProgress() && !quiet) {
          view.show(answer.getProgress());
        } else if (answer.hasResult()) {
          result = answer.getResult();
        }
      }
      return result;
    }
  }
}
