package io.jrt.image.archive;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** An archive that is a directory. Links in it are not followed. */
final class DirectoryFiles implements ArchiveFiles {
  private final Path root;

  DirectoryFiles(Path root) {
    this.root = root;
  }

  @Override
  public Optional<InputStream> open(String name) throws IOException {
    Optional<Path> file = file(name);
    return file.isEmpty()
        ? Optional.empty()
        : Optional.of(Files.newInputStream(file.get(), LinkOption.NOFOLLOW_LINKS));
  }

  @Override
  public Optional<Long> size(String name) throws IOException {
    Optional<Path> file = file(name);
    return file.isEmpty() ? Optional.empty() : Optional.of(Files.size(file.get()));
  }

  private Optional<Path> file(String name) {
    Path file = root;
    for (String part : name.split("/")) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        return Optional.empty();
      }
      file = file.resolve(part);
      if (Files.isSymbolicLink(file)) {
        return Optional.empty();
      }
    }
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        ? Optional.of(file)
        : Optional.empty();
  }

  @Override
  public void close() {}
}
