package io.jrt.server.admin;

import com.google.protobuf.ByteString;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An archive that comes over the socket piece by piece, kept in a file until it is read. */
final class ArchiveUpload implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ArchiveUpload.class);

  private final Path directory;
  private final String step;
  private @Nullable Path file;
  private @Nullable OutputStream out;

  /**
   * @param directory of uploads; made with the first piece
   * @param step for errors
   */
  ArchiveUpload(Path directory, String step) {
    this.directory = directory;
    this.step = step;
  }

  /** Removes what a daemon that was killed has left. */
  static void removeLeftovers(Path directory) {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> left = Files.newDirectoryStream(directory)) {
      for (Path one : left) {
        Files.delete(one);
        log.info("removed {}, an upload that never ended", one);
      }
    } catch (IOException e) {
      log.warn("cannot remove old uploads of {}: {}", directory, e.toString());
    }
  }

  void add(ByteString piece) {
    try {
      if (out == null) {
        Files.createDirectories(directory);
        file = Files.createTempFile(directory, "upload-", ".tar");
        out = Files.newOutputStream(file);
      }
      piece.writeTo(out);
    } catch (IOException e) {
      close();
      throw cannotKeep(e);
    }
  }

  /** The whole archive; empty when no piece has come. */
  Optional<Path> whole() {
    try {
      if (out != null) {
        out.close();
      }
    } catch (IOException e) {
      throw cannotKeep(e);
    }
    return Optional.ofNullable(file);
  }

  private JrtException cannotKeep(IOException e) {
    return new JrtException(ErrorKind.NO_SPACE, step, "cannot keep the archive in " + directory, e);
  }

  /** Removes it. */
  @Override
  public void close() {
    try {
      if (out != null) {
        out.close();
      }
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      log.warn("cannot remove the archive {}: {}", file, e.toString());
    }
  }
}
