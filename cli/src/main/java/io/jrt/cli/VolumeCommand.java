package io.jrt.cli;

import com.google.protobuf.ByteString;
import io.jrt.admin.v1.CreateVolumeRequest;
import io.jrt.admin.v1.CreateVolumeResponse;
import io.jrt.admin.v1.ExportVolumeRequest;
import io.jrt.admin.v1.ExportVolumeResponse;
import io.jrt.admin.v1.ImportVolumeRequest;
import io.jrt.admin.v1.ImportVolumeResponse;
import io.jrt.admin.v1.InspectVolumeRequest;
import io.jrt.admin.v1.InspectVolumeResponse;
import io.jrt.admin.v1.ListVolumesRequest;
import io.jrt.admin.v1.ListVolumesResponse;
import io.jrt.admin.v1.PruneRequest;
import io.jrt.admin.v1.RemoveVolumeRequest;
import io.jrt.admin.v1.RemoveVolumeResponse;
import io.jrt.admin.v1.Volume;
import io.jrt.cli.rpc.Call;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@code jrt volume …}: the named volumes of this node. */
final class VolumeCommand implements Command {
  private static final int CHUNK = 1 << 20;

  /** What is to be done with a volume. */
  enum Verb {
    CREATE("[NAME]", "make a volume"),
    LS("", "list volumes"),
    INSPECT("VOLUME", "print all that is known of a volume"),
    RM("VOLUME…", "remove volumes that no container uses"),
    PRUNE("", "remove all volumes that no container uses"),
    EXPORT("VOLUME", "write the files of a volume as a tar archive"),
    IMPORT("VOLUME [FILE|-]", "unpack a tar archive over the files of a volume");

    private final String arguments;
    private final String summary;

    Verb(String arguments, String summary) {
      this.arguments = arguments;
      this.summary = summary;
    }
  }

  private final Verb verb;

  VolumeCommand(Verb verb) {
    this.verb = verb;
  }

  @Override
  public Spec spec() {
    String name = "volume " + verb.name().toLowerCase(Locale.ROOT);
    return Spec.of(name, verb.arguments, verb.summary, flags(), name + example());
  }

  private List<Flag> flags() {
    return switch (verb) {
      case CREATE ->
          List.of(
              Flag.option("size", "SIZE", "the most it may hold, such as 2g"),
              Flag.option('d', "driver", "NAME", "local if not given"),
              Flag.option('l', "label", "KEY=VALUE", "label it"),
              Flag.option("opt", "KEY=VALUE", "an option of the driver"));
      case LS -> List.of(Flag.toggle('q', "quiet", "names only"), Table.FORMAT);
      case PRUNE -> List.of(Flag.toggle("dry-run", "only tell what would go"));
      case EXPORT -> List.of(Flag.option('O', "to", "FILE", "else standard output"));
      case INSPECT, RM, IMPORT -> List.of();
    };
  }

  private String example() {
    return switch (verb) {
      case CREATE -> " data";
      case INSPECT, RM -> " data";
      case LS, PRUNE -> "";
      case EXPORT -> " data --to data.tar";
      case IMPORT -> " data data.tar";
    };
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    switch (verb) {
      case CREATE -> create(arguments, session);
      case LS -> list(arguments, session);
      case INSPECT -> inspect(arguments.one("volume"), session);
      case RM -> remove(arguments.atLeastOne("volume"), session);
      case PRUNE -> prune(arguments, session);
      case EXPORT -> export(arguments, session);
      case IMPORT -> unpack(arguments, session);
    }
    return 0;
  }

  private static void create(Arguments arguments, Session session) throws IOException {
    String name =
        arguments.rest().isEmpty()
            ? "volume-" + Long.toHexString(System.nanoTime())
            : arguments.one("name");
    CreateVolumeRequest.Builder request =
        CreateVolumeRequest.newBuilder()
            .setName(name)
            .setDriver(arguments.value("driver").orElse(""))
            .setSizeLimit(arguments.value("size").map(Words::bytes).orElse(0L));
    for (String label : arguments.values("label")) {
      String[] pair = label.split("=", 2);
      request.putLabels(pair[0], pair.length > 1 ? pair[1] : "");
    }
    for (String option : arguments.values("opt")) {
      String[] pair = option.split("=", 2);
      request.putOptions(pair[0], pair.length > 1 ? pair[1] : "");
    }
    CreateVolumeResponse answer =
        session.daemon().admin("CreateVolume", request.build(), CreateVolumeResponse.parser());
    if (session.forPeople()) {
      session.out().println(answer.getVolume().getName());
    } else {
      session.print(answer.getVolume());
    }
  }

  private static void list(Arguments arguments, Session session) throws IOException {
    arguments.none();
    ListVolumesResponse answer =
        session
            .daemon()
            .admin(
                "ListVolumes",
                ListVolumesRequest.getDefaultInstance(),
                ListVolumesResponse.parser());
    if (arguments.has("quiet")) {
      session.lines(answer.getVolumesList().stream().map(Volume::getName).toList());
      return;
    }
    if (!session.forPeople()) {
      session.print(answer);
      return;
    }
    Table table = new Table("NAME", "DRIVER", "USED", "LIMIT", "CONTAINERS", "AGE");
    Instant now = Instant.now();
    for (Volume volume : answer.getVolumesList()) {
      table.row(
          volume.getName(),
          volume.getDriver(),
          volume.getUsedBytes() > 0 ? Words.size(volume.getUsedBytes()) : "-",
          volume.getSizeLimit() > 0 ? Words.size(volume.getSizeLimit()) : "-",
          String.valueOf(volume.getContainerIdsCount()),
          Words.age(volume.getCreatedAt(), now));
    }
    session.print(table, arguments);
  }

  private static void inspect(String name, Session session) throws IOException {
    session.print(
        session
            .daemon()
            .admin(
                "InspectVolume",
                InspectVolumeRequest.newBuilder().setName(name).build(),
                InspectVolumeResponse.parser())
            .getVolume());
  }

  private static void remove(List<String> names, Session session) throws IOException {
    for (String name : names) {
      session
          .daemon()
          .admin(
              "RemoveVolume",
              RemoveVolumeRequest.newBuilder().setName(name).build(),
              RemoveVolumeResponse.parser());
      session.out().println(name);
    }
  }

  private static void prune(Arguments arguments, Session session) throws IOException {
    arguments.none();
    PruneRequest request =
        PruneRequest.newBuilder().setVolumes(true).setDryRun(arguments.has("dry-run")).build();
    PruneCommand.prune(session, request);
  }

  private static void export(Arguments arguments, Session session) throws IOException {
    ExportVolumeRequest request =
        ExportVolumeRequest.newBuilder().setName(arguments.one("volume")).build();
    Optional<String> file = arguments.value("to");
    if (file.isEmpty() && Terminal.isInput()) {
      throw new UsageException("an archive is nothing for a terminal: --to FILE, or redirect it");
    }
    try (Daemon.Answers<ExportVolumeResponse> answers =
        session.daemon().adminStream("ExportVolume", request, ExportVolumeResponse.parser())) {
      // The first answer tells whether there is such a volume: no file is made if not.
      Optional<ExportVolumeResponse> next = answers.next();
      OutputStream out =
          file.isPresent()
              ? new BufferedOutputStream(Files.newOutputStream(Path.of(file.get())), CHUNK)
              : session.out();
      try {
        for (; next.isPresent(); next = answers.next()) {
          next.get().getChunk().writeTo(out);
        }
        out.flush();
      } finally {
        if (file.isPresent()) {
          out.close();
        }
      }
    }
  }

  private static void unpack(Arguments arguments, Session session) throws IOException {
    List<String> words = arguments.rest();
    if (words.isEmpty() || words.size() > 2) {
      throw new UsageException(words.isEmpty() ? "which volume?" : "one archive at a time");
    }
    String file = words.size() > 1 ? words.get(1) : "-";
    try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file));
        Call call = session.daemon().adminUpload("ImportVolume")) {
      call.send(ImportVolumeRequest.newBuilder().setName(words.getFirst()).build().toByteArray());
      byte[] buffer = new byte[CHUNK];
      for (int n = in.readNBytes(buffer, 0, CHUNK); n > 0; n = in.readNBytes(buffer, 0, CHUNK)) {
        call.send(
            ImportVolumeRequest.newBuilder()
                .setChunk(ByteString.copyFrom(buffer, 0, n))
                .build()
                .toByteArray());
      }
      call.halfClose();
      Daemon.answer(call, ImportVolumeResponse.parser());
    } catch (java.nio.file.NoSuchFileException e) {
      throw new UsageException("no file " + file);
    }
  }
}
