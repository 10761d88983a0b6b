package io.jrt.network.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Damaged;
import io.jrt.linux.WholeFile;
import io.jrt.linux.WholeFile.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The leases of one provider, one file each, named after the sandbox.
 *
 * <p>The files lie in the state directory and are not forced to disk: they survive a crash of the
 * daemon, which is when the interfaces they tell of survive too. After a crash of the machine there
 * are neither interfaces nor pods, and a file that is damaged then is worth nothing.
 */
final class LeaseStore {
  private static final Logger log = LoggerFactory.getLogger(LeaseStore.class);
  private static final String SUFFIX = ".json";
  private static final String VERSION_FIELD = "version";
  private static final int VERSION = 1;
  private static final String LAST = "last";

  private final Path directory;
  private final JsonMapper json = JsonMapper.builder().build();
  private final Map<String, Lease> leases = new ConcurrentHashMap<>();

  private LeaseStore(Path directory) {
    this.directory = directory;
  }

  /** Reads the leases in the directory, which is made if it does not exist. */
  static LeaseStore open(Path directory) {
    LeaseStore store = new LeaseStore(directory);
    try {
      Files.createDirectories(directory);
      for (Path file : WholeFile.list(directory)) {
        if (file.toString().endsWith(SUFFIX)) {
          store.read(file);
        }
      }
    } catch (IOException e) {
      throw failure("cannot read " + directory, e);
    }
    return store;
  }

  private void read(Path file) {
    try {
      Lease lease = decode(Files.readAllBytes(file));
      if (!file.equals(file(lease.sandboxId()))) {
        throw new IOException("it is the record of sandbox " + lease.sandboxId());
      }
      leases.put(lease.sandboxId(), lease);
    } catch (IOException | RuntimeException e) {
      Damaged.setAside(
          file, directory.resolve("damaged"), "network lease", String.valueOf(e.getMessage()));
    }
  }

  private Lease decode(byte[] bytes) throws IOException {
    if (!(json.readTree(bytes) instanceof ObjectNode tree)) {
      throw new IOException("it is no JSON object");
    }
    // The first daemons wrote none.
    int version = tree.path(VERSION_FIELD).asInt(1);
    if (version > VERSION) {
      throw new IOException("it has version " + version + " and this daemon knows " + VERSION);
    }
    tree.remove(VERSION_FIELD);
    return json.treeToValue(tree, Lease.class);
  }

  private byte[] encode(Lease lease) {
    ObjectNode tree = json.valueToTree(lease);
    tree.put(VERSION_FIELD, VERSION);
    return json.writeValueAsBytes(tree);
  }

  Optional<Lease> find(String sandboxId) {
    return Optional.ofNullable(leases.get(sandboxId));
  }

  Collection<Lease> all() {
    return List.copyOf(leases.values());
  }

  /** Stores a lease in place of the sandbox's former one. */
  void put(Lease lease) {
    write(file(lease.sandboxId()), encode(lease));
    leases.put(lease.sandboxId(), lease);
  }

  /**
   * The same, but what cannot be stored holds nobody up: a full disk must not keep a pod from being
   * detached. The next daemon finds the lease as it was, and whoever it was for gone.
   */
  void note(Lease lease) {
    try {
      put(lease);
    } catch (JrtException e) {
      log.warn(
          "lease of pod {}: {}: {}", lease.pod(), e.getMessage(), String.valueOf(e.getCause()));
      leases.put(lease.sandboxId(), lease);
    }
  }

  void remove(String sandboxId) {
    try {
      Files.deleteIfExists(file(sandboxId));
    } catch (IOException e) {
      throw failure("cannot delete " + file(sandboxId), e);
    }
    leases.remove(sandboxId);
  }

  /** The addresses given out last, one of each range; unknown ranges are missing. */
  List<String> last() {
    try {
      return Files.readAllLines(directory.resolve(LAST));
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      Damaged.setAside(
          directory.resolve(LAST),
          directory.resolve("damaged"),
          "list of addresses",
          String.valueOf(e.getMessage()));
      return List.of();
    }
  }

  synchronized void putLast(Supplier<List<String>> addresses) {
    write(directory.resolve(LAST), (String.join("\n", addresses.get()) + "\n").getBytes(UTF_8));
  }

  /** Deletes the directory. */
  void delete() {
    try {
      WholeFile.list(directory);
      Files.deleteIfExists(directory.resolve(LAST));
      Path damaged = directory.resolve("damaged");
      if (Files.isDirectory(damaged)) {
        try (Stream<Path> all = Files.walk(damaged)) {
          for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(path);
          }
        }
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw failure("cannot delete " + directory, e);
    }
  }

  private Path file(String sandboxId) {
    return directory.resolve(sandboxId + SUFFIX);
  }

  private static void write(Path file, byte[] content) {
    try {
      WholeFile.write(file, content, Durability.CRASH);
    } catch (IOException e) {
      throw failure("cannot write " + file, e);
    }
  }

  private static JrtException failure(String message, IOException cause) {
    return new JrtException(ErrorKind.INTERNAL, "store network lease", message, cause);
  }
}
