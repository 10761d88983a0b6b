package io.jrt.network.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.linux.WholeFile;
import io.jrt.linux.WholeFile.Durability;
import io.jrt.network.SandboxRecords;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The leases of one provider, and beside them the addresses given out last.
 *
 * <p>The files lie in the state directory and are not forced to disk: they survive a crash of the
 * daemon, which is when the interfaces they tell of survive too. After a crash of the machine there
 * are neither interfaces nor pods, and a file that is damaged then is worth nothing.
 */
final class LeaseStore {
  private static final SandboxRecords.Kind<Lease> KIND =
      new SandboxRecords.Kind<>(Lease.class, Lease::sandboxId, "network lease", Durability.CRASH);

  private final Path directory;
  private final Path last;
  private final SandboxRecords<Lease> records;

  private LeaseStore(Path directory) {
    this.directory = directory;
    this.last = directory.resolve("last");
    this.records = SandboxRecords.open(directory, KIND);
  }

  /** Reads the leases in the directory, which is made if it does not exist. */
  static LeaseStore open(Path directory) {
    return new LeaseStore(directory);
  }

  Optional<Lease> find(String sandboxId) {
    return records.find(sandboxId);
  }

  Collection<Lease> all() {
    return records.all();
  }

  /** Stores a lease in place of the sandbox's former one. */
  void put(Lease lease) {
    records.put(lease);
  }

  /** The same, but what cannot be stored holds nobody up. */
  void note(Lease lease) {
    records.note(lease);
  }

  void remove(String sandboxId) {
    records.remove(sandboxId);
  }

  /** The addresses given out last, one of each range; unknown ranges are missing. */
  List<String> last() {
    try {
      return Files.readAllLines(last);
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      records.setAside(last, "list of addresses", e);
      return List.of();
    }
  }

  synchronized void putLast(Supplier<List<String>> addresses) {
    byte[] lines = (String.join("\n", addresses.get()) + "\n").getBytes(UTF_8);
    records.write(last, lines, Durability.CRASH);
  }

  /** Deletes the directory, which holds no lease any more. */
  void delete() {
    try {
      WholeFile.list(directory);
      Files.deleteIfExists(last);
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
      throw records.failure("cannot delete " + directory, e);
    }
  }
}
