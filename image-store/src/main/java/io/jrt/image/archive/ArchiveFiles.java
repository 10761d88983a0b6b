package io.jrt.image.archive;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** The files of an archive by name: a directory, or a tar that is read in place. */
public interface ArchiveFiles extends AutoCloseable {

  /** Opens a file of the archive, if it has it. */
  Optional<InputStream> open(String name) throws IOException;

  /** Bytes of a file of the archive, if it has it. */
  Optional<Long> size(String name) throws IOException;

  @Override
  void close();

  /**
   * A small file, whole.
   *
   * @throws JrtException INVALID when it is larger than the limit
   */
  default Optional<byte[]> read(String name, int limit) throws IOException {
    Optional<InputStream> stream = open(name);
    if (stream.isEmpty()) {
      return Optional.empty();
    }
    try (InputStream in = stream.get()) {
      byte[] bytes = in.readNBytes(limit + 1);
      if (bytes.length > limit) {
        throw new JrtException(
            ErrorKind.INVALID,
            "import image",
            "'" + name + "' in the archive is larger than " + limit + " bytes");
      }
      return Optional.of(bytes);
    }
  }

  /**
   * Opens an archive.
   *
   * @param temp an empty directory for what has to be decompressed; stays the caller's
   * @param maxBytes of the tar when decompressed
   */
  static ArchiveFiles of(Path source, Path temp, long maxBytes) throws IOException {
    return java.nio.file.Files.isDirectory(source)
        ? new DirectoryFiles(source)
        : TarFiles.open(source, temp, maxBytes);
  }
}
