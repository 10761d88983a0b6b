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
import java.util.List;

/** {@code jrt cdi}: devices by name, the specs they come from, and specs of GPUs found here. */
final class CdiCommand implements Command {
  @Override
  public Spec spec() {
    return new Spec(
        "cdi",
        "list | validate FILE… | generate [DIRECTORY]",
        "list CDI devices, check specs, or write specs of the GPUs found",
        false,
        List.of(),
        List.of("cdi list", "cdi validate /etc/cdi/vendor.yaml", "cdi generate /var/run/cdi"));
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
      case "generate" -> generate(rest, session);
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

  private static int generate(List<String> rest, Session session) throws IOException {
    if (rest.size() > 1) {
      throw new UsageException("cdi generate takes one directory at most");
    }
    GenerateCdiResponse answer =
        session
            .daemon()
            .admin(
                "GenerateCdi",
                GenerateCdiRequest.getDefaultInstance(),
                GenerateCdiResponse.parser());
    if (answer.getSpecsCount() == 0) {
      session.err().println("no GPUs were found");
      return 1;
    }
    for (GeneratedCdi spec : answer.getSpecsList()) {
      if (rest.isEmpty()) {
        session.printJson(spec.getJson());
      } else {
        Path file = Path.of(rest.getFirst()).resolve(spec.getKind().replace('/', '-') + ".json");
        Path temporary = Path.of(file + ".tmp");
        Files.createDirectories(Path.of(rest.getFirst()));
        Files.writeString(temporary, spec.getJson());
        Files.move(
            temporary,
            file,
            java.nio.file.StandardCopyOption.ATOMIC_MOVE,
            java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        session.out().println(file);
      }
    }
    return 0;
  }
}
