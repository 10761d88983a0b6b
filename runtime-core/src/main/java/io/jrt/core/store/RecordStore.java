package io.jrt.core.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.json.PlainRecords;
import io.jrt.linux.FailPoints;
import io.jrt.linux.WholeFile;
import io.jrt.linux.WholeFile.Durability;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Records as {@linkplain WholeFile whole files}, one a record: {@code <id>.json} with the kind, the
 * version of its form and the content. A file that cannot be read as a record is moved to {@code
 * damaged/} and reported; it never keeps the daemon from starting.
 *
 * @param <T> what is recorded
 */
public final class RecordStore<T> {
  private static final String STEP = "store record";
  private static final String SUFFIX = ".json";

  /** One for all: what it learns of a record's form is costly to learn. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .addModule(new PlainRecords())
          .build();

  /**
   * A file that was no record.
   *
   * @param movedTo where it lies now
   */
  public record Damaged(Path file, Path movedTo, String why) {}

  /** What was found on disk. */
  public record Loaded<T>(List<T> records, List<Damaged> damaged) {}

  private final Path directory;
  private final String kind;
  private final int version;
  private final Class<T> type;
  private final UnaryOperator<ObjectNode> migration;
  private final FailPoints failPoints;

  /**
   * @param version of the form in which records are written
   * @param migration turns the envelope ({@code kind}, {@code version}, {@code record}) of an older
   *     version into one of this version
   */
  public RecordStore(
      Path directory,
      String kind,
      int version,
      Class<T> type,
      UnaryOperator<ObjectNode> migration,
      FailPoints failPoints) {
    this.directory = directory;
    this.kind = kind;
    this.version = version;
    this.type = type;
    this.migration = migration;
    this.failPoints = failPoints;
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (IOException e) {
      throw failed("make " + directory, e);
    }
  }

  /** Writes a record, in place of an older one of the same id. */
  public void put(String id, T record, Durability durability) {
    byte[] bytes = encode(record);
    try {
      WholeFile.write(place(id), bytes, durability, failPoints, "store-" + kind);
    } catch (IOException e) {
      throw failed("write " + place(id), e);
    }
  }

  /** Forgets a record; no error when there is none. */
  public void remove(String id, Durability durability) {
    try {
      failPoints.hit("store-" + kind + ".remove");
      WholeFile.remove(place(id), durability);
    } catch (IOException e) {
      throw failed("remove " + place(id), e);
    }
  }

  /** The names under which records lie on the disk, whatever is in them. */
  public List<String> ids() {
    try (var listing = Files.list(directory)) {
      return listing
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(SUFFIX) && !name.startsWith("."))
          .map(name -> name.substring(0, name.length() - SUFFIX.length()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw failed("list " + directory, e);
    }
  }

  /** Whether this very record can be read from the disk. */
  public boolean has(String id, T record) {
    try {
      return decode(id, Files.readAllBytes(place(id))).equals(record);
    } catch (IOException | JacksonException | IllegalArgumentException e) {
      return false; // what is wrong with it, the caller tells
    }
  }

  /** Reads every record; sets aside what is none, and removes what a crash left half-written. */
  public Loaded<T> load() {
    List<T> records = new ArrayList<>();
    List<Damaged> damaged = new ArrayList<>();
    List<Path> files;
    try {
      files = WholeFile.list(directory);
    } catch (IOException e) {
      throw failed("list " + directory, e);
    }
    for (Path file : files) {
      String name = file.getFileName().toString();
      try {
        if (name.endsWith(SUFFIX)) {
          String id = name.substring(0, name.length() - SUFFIX.length());
          records.add(decode(id, Files.readAllBytes(file)));
        }
      } catch (IOException | RuntimeException e) {
        damaged.add(setAside(file, e));
      }
    }
    return new Loaded<>(records, damaged);
  }

  private Damaged setAside(Path file, Exception why) {
    String reason = String.valueOf(why.getMessage()).lines().findFirst().orElse("");
    Path into = directory.resolve("damaged");
    return new Damaged(
        file,
        io.jrt.linux.Damaged.setAside(file, into, kind + " record", reason).orElse(file),
        reason);
  }

  private byte[] encode(T record) {
    ObjectNode envelope = JSON.createObjectNode();
    envelope.put("kind", kind);
    envelope.put("version", version);
    envelope.set("record", JSON.valueToTree(record));
    return JSON.writeValueAsBytes(envelope);
  }

  private T decode(String id, byte[] bytes) {
    JsonNode tree = JSON.readTree(bytes);
    if (!(tree instanceof ObjectNode envelope)
        || !envelope.path("kind").asString("").equals(kind)) {
      throw new IllegalArgumentException("it does not say that it is a " + kind + " record");
    }
    int written = envelope.path("version").asInt(0);
    if (written > version) {
      throw new IllegalArgumentException(
          "it has version %d and this daemon knows %d".formatted(written, version));
    }
    ObjectNode current = written < version ? migration.apply(envelope) : envelope;
    String own = current.path("record").path("id").asString(id);
    if (!own.equals(id)) {
      throw new IllegalArgumentException("it is the record of " + own);
    }
    if (current.path("record") instanceof ObjectNode content) {
      fillIn(content);
    }
    T record = JSON.treeToValue(current.path("record"), type);
    if (record == null) {
      throw new IllegalArgumentException("it has no content");
    }
    return record;
  }

  /** A missing component is damage, but for those that earlier daemons did not know. */
  private void fillIn(ObjectNode content) {
    if (!type.isRecord()) {
      return;
    }
    for (RecordComponent component : type.getRecordComponents()) {
      if (component.isAnnotationPresent(Added.class) && !content.has(component.getName())) {
        content.putNull(component.getName());
      }
    }
  }

  private Path place(String id) {
    return directory.resolve(id + SUFFIX);
  }

  private static JrtException failed(String what, IOException e) {
    ErrorKind kind =
        e instanceof FileSystemException fs
                && fs.getReason() != null
                && (fs.getReason().contains("No space") || fs.getReason().contains("quota"))
            ? ErrorKind.NO_SPACE
            : e instanceof NoSuchFileException ? ErrorKind.INTERNAL : ErrorKind.UNAVAILABLE;
    return new JrtException(kind, STEP, "cannot " + what + ": " + e.getMessage(), e);
  }
}
