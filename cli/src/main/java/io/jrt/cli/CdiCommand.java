package io.jrt.cli;

import io.jrt.admin.v1.CdiDeviceInfo;
import io.jrt.admin.v1.GenerateCdiRequest;
import io.jrt.admin.v1.GenerateCdiResponse;
import io.jrt.admin.v1.GeneratedCdi;
import io.jrt.admin.v1.ListCdiRequest;
import io.jrt.admin.v1.ListCdiResponse;
import io.jrt.admin.v1.ValidateCdiRequest;
import io.jrt.admin.v1.ValidateCdiResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** {@code jrt cdi}: devices by name, the specs they come from, and specs of GPUs found here. */
final class CdiCommand implements Command {
  private static final Duration INTERVAL = Duration.ofSeconds(5);

  @Override
  public Spec spec() {
    return new Spec(
        "cdi",
        "list | validate FILE… | generate [DIRECTORY [--watch]]",
        "list CDI devices, check specs, or write specs of the GPUs found",
        false,
        List.of(Flag.toggle("watch", "keep the specs as the devices are, until interrupted")),
        List.of(
            "cdi list",
            "cdi validate /etc/cdi/vendor.yaml",
            "cdi generate /var/run/cdi",
            "cdi generate --watch /var/run/cdi"));
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    List<String> words = arguments.rest();
    if (words.isEmpty()) {
      throw new UsageException("cdi needs list, validate or generate");
    }
    List<String> rest = words.subList(1, words.size());
    return switch (words.getFirst()) {
      case "list" -> list(rest, session);
      case "validate" -> validate(rest, session);
      case "generate" -> generate(rest, arguments.has("watch"), session);
      default -> throw new UsageException("cdi has no \"" + words.getFirst() + "\"");
    };
  }

  private static int list(List<String> rest, Session session) throws IOException {
    if (!rest.isEmpty()) {
      throw new UsageException("cdi list takes no arguments");
    }
    ListCdiResponse answer =
        session
            .daemon()
            .admin("ListCdi", ListCdiRequest.getDefaultInstance(), ListCdiResponse.parser());
    if (!session.forPeople()) {
      session.print(answer);
      return 0;
    }
    Table table = new Table("DEVICE", "FROM");
    for (CdiDeviceInfo device : answer.getDevicesList()) {
      table.row(device.getName(), device.getOrigin());
    }
    session.print(table);
    answer.getProblemsList().forEach(problem -> session.err().println("problem: " + problem));
    return 0;
  }

  private static int validate(List<String> files, Session session) throws IOException {
    if (files.isEmpty()) {
      throw new UsageException("cdi validate needs a file");
    }
    for (String file : files) {
      ValidateCdiResponse answer =
          session
              .daemon()
              .admin(
                  "ValidateCdi",
                  ValidateCdiRequest.newBuilder()
                      .setName(file)
                      .setContent(Files.readString(Path.of(file)))
                      .build(),
                  ValidateCdiResponse.parser());
      session.out().println(file + " is valid: " + String.join(", ", answer.getDevicesList()));
    }
    return 0;
  }

  private static int generate(List<String> rest, boolean watch, Session session)
      throws IOException {
    if (rest.size() > 1 || (watch && rest.isEmpty())) {
      throw new UsageException("cdi generate takes one directory, which --watch needs");
    }
    if (watch) {
      return watch(new CdiFiles(Path.of(rest.getFirst())), session);
    }
    List<GeneratedCdi> specs = found(session);
    if (specs.isEmpty()) {
      session.err().println("no GPUs were found");
      return 1;
    }
    if (rest.isEmpty()) {
      for (GeneratedCdi spec : specs) {
        session.printJson(spec.getJson());
      }
    } else {
      Path directory = Path.of(rest.getFirst());
      new CdiFiles(directory).write(specs);
      specs.forEach(
          spec ->
              session.out().println(directory.resolve(spec.getKind().replace('/', '-') + ".json")));
    }
    return 0;
  }

  private static List<GeneratedCdi> found(Session session) throws IOException {
    return session
        .daemon()
        .admin("GenerateCdi", GenerateCdiRequest.getDefaultInstance(), GenerateCdiResponse.parser())
        .getSpecsList();
  }

  /** Until it is interrupted; a daemon that is away meanwhile is waited for. */
  private static int watch(CdiFiles files, Session session) throws IOException {
    String problem = "";
    while (true) {
      List<GeneratedCdi> specs;
      try {
        specs = found(session);
        problem = "";
      } catch (IOException e) {
        if (!problem.equals(String.valueOf(e.getMessage()))) {
          problem = String.valueOf(e.getMessage());
          session.err().println(problem);
        }
        specs = List.of();
      }
      if (problem.isEmpty()) {
        files.write(specs).forEach(session.out()::println);
        session.out().flush();
      }
      try {
        Thread.sleep(INTERVAL);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return 0;
      }
    }
  }
}
