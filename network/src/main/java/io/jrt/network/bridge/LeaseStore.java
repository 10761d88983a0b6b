package io.jrt.network.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The leases of one provider, one file each, named after the sandbox.
 *
 * <p>The files lie in the state directory and are not forced to disk: they survive a crash of the
 * daemon, which is when the interfaces they tell of survive too. After a crash of the machine there
 * are neither interfaces nor pods, and a file that is damaged then is worth nothing.
 */
final class LeaseStore {
  private static final Logger LOG = LoggerFactory.getLogger(LeaseStore.class);
  private static final String SUFFIX = ".json";
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
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
        for (Path file : files) {
          store.read(file);
        }
      }
    } catch (IOException e) {
      throw failure("cannot read " + directory, e);
    }
    return store;
  }

  private void read(Path file) throws IOException {
    try {
      Lease lease = json.readValue(Files.readAllBytes(file), Lease.class);
      leases.put(lease.sandboxId(), lease);
    } catch (JacksonException | JrtException e) {
      LOG.warn("removing damaged network lease {}: {}", file, e.getMessage());
      Files.delete(file);
    }
  }

  Optional<Lease> find(String sandboxId) {
    return Optional.ofNullable(leases.get(sandboxId));
  }

  Collection<Lease> all() {
    return List.copyOf(leases.values());
  }

  /** Stores a lease in place of the sandbox's former one. */
  void put(Lease lease) {
    write(file(lease.sandboxId()), json.writeValueAsBytes(lease));
    leases.put(lease.sandboxId(), lease);
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
      throw failure("cannot read " + directory.resolve(LAST), e);
    }
  }

  synchronized void putLast(Supplier<List<String>> addresses) {
    write(directory.resolve(LAST), (String.join("\n", addresses.get()) + "\n").getBytes(UTF_8));
  }

  /** Deletes the directory. */
  void delete() {
    try {
      Files.deleteIfExists(directory.resolve(LAST));
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw failure("cannot delete " + directory, e);
    }
  }

  private Path file(String sandboxId) {
    return directory.resolve(sandboxId + SUFFIX);
  }

  private static void write(Path file, byte[] content) {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try {
      Files.write(temporary, content);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw failure("cannot write " + file, e);
    }
  }

  private static JrtException failure(String message, IOException cause) {
    return new JrtException(ErrorKind.INTERNAL, "store network lease", message, cause);
  }
}
