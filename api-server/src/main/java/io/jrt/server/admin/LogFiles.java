package io.jrt.server.admin;

import com.google.protobuf.ByteString;
import io.jrt.admin.v1.LogLine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a log and of the files that the kubelet renamed it to, oldest first, and then those
 * that are added. When the file is renamed while it is read, its end is read before the new file.
 */
final class LogFiles implements AutoCloseable {
  private static final int BUFFER = 64 << 10;

  /** Longer lines are no lines of jrt's: it splits them. */
  private static final int MAX_LINE = 1 << 20;

  private final Path current;
  private final Deque<Path> older;
  private final byte[] buffer = new byte[BUFFER];
  private int position;
  private int filled;
  private ByteString begun = ByteString.EMPTY;
  private @Nullable InputStream in;
  private @Nullable Object inode;

  LogFiles(Path current) throws IOException {
    this.current = current;
    this.older = new ArrayDeque<>(rotated(current));
  }

  /** {@code NAME.20060102-150405}, maybe with {@code .gz}; their names sort by age. */
  private static List<Path> rotated(Path current) throws IOException {
    List<Path> found = new ArrayList<>();
    Path directory = current.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      return found;
    }
    String name = current.getFileName() + ".";
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(
            directory,
            file -> {
              String other = file.getFileName().toString();
              return other.startsWith(name)
                  && other.substring(name.length()).matches("[0-9]{8}-[0-9]{6}(\\.gz)?");
            })) {
      files.forEach(found::add);
    }
    Collections.sort(found);
    return found;
  }

  /** The next whole line that is there; empty when there is none now. */
  Optional<LogLine> next() throws IOException {
    while (true) {
      Optional<ByteString> line = line();
      if (line.isEmpty()) {
        if (!fill() && !turn()) {
          return Optional.empty();
        }
        continue;
      }
      Optional<LogLine> parsed = Logs.parse(line.get());
      if (parsed.isPresent()) {
        return parsed;
      }
    }
  }

  private Optional<ByteString> line() {
    for (int i = position; i < filled; i++) {
      if (buffer[i] == '\n') {
        ByteString line = begun.concat(ByteString.copyFrom(buffer, position, i - position));
        begun = ByteString.EMPTY;
        position = i + 1;
        return Optional.of(line);
      }
    }
    if (begun.size() < MAX_LINE) {
      begun = begun.concat(ByteString.copyFrom(buffer, position, filled - position));
    }
    position = 0;
    filled = 0;
    return Optional.empty();
  }

  private boolean fill() throws IOException {
    InputStream open = in;
    if (open == null) {
      return false;
    }
    int read = open.read(buffer);
    position = 0;
    filled = Math.max(0, read);
    return read > 0;
  }

  /** Goes on with the next file, if the one at hand will get no more. */
  private boolean turn() throws IOException {
    if (in != null && inode != null) {
      if (inode.equals(inode(current)) || Files.notExists(current)) {
        return false;
      }
      // Renamed: its writer may have written to it until the new file was there.
      if (fill()) {
        return true;
      }
    }
    close();
    begun = ByteString.EMPTY;
    Path next = older.poll();
    try {
      if (next != null) {
        InputStream file = Files.newInputStream(next);
        in = next.toString().endsWith(".gz") ? new GZIPInputStream(file, BUFFER) : file;
        inode = null;
        return true;
      }
      in = Files.newInputStream(current);
      inode = inode(current);
      return inode != null;
    } catch (NoSuchFileException e) {
      // Not written yet, or just renamed.
      return next != null;
    }
  }

  private static @Nullable Object inode(Path file) throws IOException {
    try {
      return Files.getAttribute(file, "unix:ino", LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  @Override
  public void close() throws IOException {
    if (in != null) {
      in.close();
      in = null;
      inode = null;
    }
  }
}
