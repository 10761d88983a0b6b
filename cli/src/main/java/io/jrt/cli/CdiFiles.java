package io.jrt.cli;

import io.jrt.admin.v1.GeneratedCdi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Specs of the GPUs that were found, as files of a directory, one for each kind. */
final class CdiFiles {
  private final Path directory;
  private final Set<Path> written = new LinkedHashSet<>();

  CdiFiles(Path directory) {
    this.directory = directory;
  }

  /** Makes the files say what was found; answers a line for each that changed. */
  List<String> write(List<GeneratedCdi> specs) throws IOException {
    List<String> changes = new ArrayList<>();
    Set<Path> now = new LinkedHashSet<>();
    Files.createDirectories(directory);
    for (GeneratedCdi spec : specs) {
      Path file = directory.resolve(spec.getKind().replace('/', '-') + ".json");
      now.add(file);
      if (!Files.exists(file) || !Files.readString(file).equals(spec.getJson())) {
        Path temporary = Path.of(file + ".tmp");
        Files.writeString(temporary, spec.getJson());
        Files.move(
            temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        changes.add(file.toString());
      }
    }
    for (Path file : written) {
      if (!now.contains(file) && Files.deleteIfExists(file)) {
        changes.add(file + " removed: no such device is there any more");
      }
    }
    written.clear();
    written.addAll(now);
    return changes;
  }
}
