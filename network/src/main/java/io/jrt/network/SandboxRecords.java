package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.json.PlainRecords;
import io.jrt.linux.Damaged;
import io.jrt.linux.WholeFile;
import io.jrt.linux.WholeFile.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a provider knows of each sandbox: one JSON file each, named after the sandbox, and all of
 * them in memory. A file is there whole or not at all; one that is not what its name says is put
 * aside.
 *
 * @param <T> a record that JSON can be made of
 */
public final class SandboxRecords<T> {
  private static final Logger log = LoggerFactory.getLogger(SandboxRecords.class);

  /** One for all: what it learns of a record's form is costly to learn. */
  private static final JsonMapper JSON = JsonMapper.builder().addModule(new PlainRecords()).build();

  private static final String SUFFIX = ".json";
  private static final String VERSION_FIELD = "version";
  private static final int VERSION = 1;
  private static final String DAMAGED = "damaged";

  private final Path directory;
  private final Kind<T> kind;
  private final Map<String, T> records = new ConcurrentHashMap<>();

  /**
   * Records of one kind.
   *
   * @param what names one in errors: {@code network lease}
   * @param durability what a change of one must outlive
   */
  public record Kind<T>(
      Class<T> type, Function<T, String> sandboxId, String what, Durability durability) {}

  private SandboxRecords(Path directory, Kind<T> kind) {
    this.directory = directory;
    this.kind = kind;
  }

  /** Reads the records in the directory, which is made if it does not exist. */
  public static <T> SandboxRecords<T> open(Path directory, Kind<T> kind) {
    SandboxRecords<T> store = new SandboxRecords<>(directory, kind);
    try {
      Files.createDirectories(directory);
      for (Path file : WholeFile.list(directory)) {
        if (file.toString().endsWith(SUFFIX)) {
          store.read(file);
        }
      }
    } catch (IOException e) {
      throw store.failure("cannot read " + directory, e);
    }
    return store;
  }

  private void read(Path file) {
    try {
      T value = decode(Files.readAllBytes(file));
      String id = kind.sandboxId().apply(value);
      if (!file.equals(file(id))) {
        throw new IOException("it is the record of sandbox " + id);
      }
      records.put(id, value);
    } catch (IOException | RuntimeException e) {
      setAside(file, kind.what(), e);
    }
  }

  private T decode(byte[] bytes) throws IOException {
    if (!(JSON.readTree(bytes) instanceof ObjectNode tree)) {
      throw new IOException("it is no JSON object");
    }
    // The first daemons wrote none.
    int version = tree.path(VERSION_FIELD).asInt(1);
    if (version > VERSION) {
      throw new IOException("it has version " + version + " and this daemon knows " + VERSION);
    }
    tree.remove(VERSION_FIELD);
    return JSON.treeToValue(tree, kind.type());
  }

  public Optional<T> find(String sandboxId) {
    return Optional.ofNullable(records.get(sandboxId));
  }

  public Collection<T> all() {
    return List.copyOf(records.values());
  }

  /** Stores a record in place of the sandbox's former one. */
  public void put(T value) {
    ObjectNode tree = JSON.valueToTree(value);
    tree.put(VERSION_FIELD, VERSION);
    String id = kind.sandboxId().apply(value);
    write(file(id), JSON.writeValueAsBytes(tree), kind.durability());
    records.put(id, value);
  }

  /**
   * The same, but what cannot be stored holds nobody up: a full disk must not keep a pod from being
   * detached. The next daemon finds the record as it was, and whoever it was for gone.
   */
  public void note(T value) {
    try {
      put(value);
    } catch (JrtException e) {
      log.warn("{}: {}", e.getMessage(), String.valueOf(e.getCause()));
      records.put(kind.sandboxId().apply(value), value);
    }
  }

  public void remove(String sandboxId) {
    try {
      Files.deleteIfExists(file(sandboxId));
    } catch (IOException e) {
      throw failure("cannot delete " + file(sandboxId), e);
    }
    records.remove(sandboxId);
  }

  /** Writes a file of another kind beside them. */
  public void write(Path file, byte[] content, Durability durability) {
    try {
      WholeFile.write(file, content, durability);
    } catch (IOException e) {
      throw failure("cannot write " + file, e);
    }
  }

  /** Moves a file that cannot be read out of the way. */
  public void setAside(Path file, String what, Exception why) {
    Damaged.setAside(file, directory.resolve(DAMAGED), what, String.valueOf(why.getMessage()));
  }

  private Path file(String sandboxId) {
    return directory.resolve(sandboxId + SUFFIX);
  }

  /** An error of these files. */
  public JrtException failure(String message, IOException cause) {
    return new JrtException(ErrorKind.INTERNAL, "store " + kind.what(), message, cause);
  }
}
