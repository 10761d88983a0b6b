package io.jrt.it;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Writes the tar of one layer, entry by entry; the times are 1970, so equal entries, equal bytes.
 */
final class LayerBuilder {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar;

  LayerBuilder() {
    tar = new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name());
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  LayerBuilder directory(String name, int mode) {
    return put(entry(name + "/", TarConstants.LF_DIR, mode), new byte[0]);
  }

  LayerBuilder file(String name, int mode, byte[] content) {
    return put(entry(name, TarConstants.LF_NORMAL, mode), content);
  }

  LayerBuilder file(String name, int mode, String content) {
    return file(name, mode, content.getBytes(StandardCharsets.UTF_8));
  }

  LayerBuilder symlink(String name, String target) {
    TarArchiveEntry entry = entry(name, TarConstants.LF_SYMLINK, 0777);
    entry.setLinkName(target);
    return put(entry, new byte[0]);
  }

  /** A second name of a file of this layer. */
  LayerBuilder hardLink(String name, String existing) {
    TarArchiveEntry entry = entry(name, TarConstants.LF_LINK, 0755);
    entry.setLinkName(existing);
    return put(entry, new byte[0]);
  }

  LayerBuilder owned(String name, int mode, int uid, int gid, byte[] content) {
    TarArchiveEntry entry = entry(name, TarConstants.LF_NORMAL, mode);
    entry.setIds(uid, gid);
    return put(entry, content);
  }

  LayerBuilder ownedDirectory(String name, int mode, int uid, int gid) {
    TarArchiveEntry entry = entry(name + "/", TarConstants.LF_DIR, mode);
    entry.setIds(uid, gid);
    return put(entry, new byte[0]);
  }

  /** Adds everything below a directory, owned by root, with the modes it has. */
  LayerBuilder tree(Path root) {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : (Iterable<Path>) paths.sorted()::iterator) {
        String name = root.relativize(path).toString();
        if (name.isEmpty() || name.equals(".complete")) {
          continue;
        }
        if (Files.isSymbolicLink(path)) {
          symlink(name, Files.readSymbolicLink(path).toString());
        } else {
          int mode = 07777 & (Integer) Files.getAttribute(path, "unix:mode");
          if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            directory(name, mode);
          } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            file(name, mode, Files.readAllBytes(path));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  byte[] tar() {
    try {
      tar.finish();
      ((OutputStream) tar).flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static TarArchiveEntry entry(String name, byte type, int mode) {
    TarArchiveEntry entry = new TarArchiveEntry(name, type);
    entry.setMode(mode);
    entry.setModTime(0L);
    entry.setIds(0, 0);
    return entry;
  }

  private LayerBuilder put(TarArchiveEntry entry, byte[] content) {
    try {
      entry.setSize(content.length);
      tar.putArchiveEntry(entry);
      tar.write(content);
      tar.closeArchiveEntry();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }
}
