package io.jrt.linux;

import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import org.jspecify.annotations.Nullable;

/** A path on a {@link SimulatedDisk}; its algebra is that of this machine's paths. */
record SimulatedPath(SimulatedFileSystem fileSystem, Path inner) implements Path {
  private Path of(Path path) {
    return new SimulatedPath(fileSystem, path);
  }

  private @Nullable Path ofNullable(@Nullable Path path) {
    return path == null ? null : of(path);
  }

  private static Path inner(Path path) {
    return path instanceof SimulatedPath simulated ? simulated.inner : path;
  }

  @Override
  public FileSystem getFileSystem() {
    return fileSystem;
  }

  @Override
  public boolean isAbsolute() {
    return inner.isAbsolute();
  }

  @Override
  public @Nullable Path getRoot() {
    return ofNullable(inner.getRoot());
  }

  @Override
  public @Nullable Path getFileName() {
    return ofNullable(inner.getFileName());
  }

  @Override
  public @Nullable Path getParent() {
    return ofNullable(inner.getParent());
  }

  @Override
  public int getNameCount() {
    return inner.getNameCount();
  }

  @Override
  public Path getName(int index) {
    return of(inner.getName(index));
  }

  @Override
  public Path subpath(int from, int to) {
    return of(inner.subpath(from, to));
  }

  @Override
  public boolean startsWith(Path other) {
    return inner.startsWith(inner(other));
  }

  @Override
  public boolean endsWith(Path other) {
    return inner.endsWith(inner(other));
  }

  @Override
  public Path normalize() {
    return of(inner.normalize());
  }

  @Override
  public Path resolve(Path other) {
    return of(inner.resolve(inner(other)));
  }

  @Override
  public Path relativize(Path other) {
    return of(inner.relativize(inner(other)));
  }

  @Override
  public URI toUri() {
    return URI.create("simulated://" + inner);
  }

  @Override
  public Path toAbsolutePath() {
    return of(inner.toAbsolutePath());
  }

  @Override
  public Path toRealPath(LinkOption... options) {
    return toAbsolutePath();
  }

  @Override
  public WatchKey register(
      WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int compareTo(Path other) {
    return inner.compareTo(inner(other));
  }

  @Override
  public String toString() {
    return inner.toString();
  }
}
