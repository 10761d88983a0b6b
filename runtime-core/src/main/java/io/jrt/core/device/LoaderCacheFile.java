package io.jrt.core.device;

import io.jrt.core.device.DeviceInjection.Library;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** The loader's cache of one container: that of its image with the libraries of its devices. */
public final class LoaderCacheFile {
  private LoaderCacheFile() {}

  /**
   * The content of the file.
   *
   * @param image what the image has, which may be nothing
   */
  public static byte[] merge(byte[] image, List<Library> libraries) {
    return LoaderCache.parse(image)
        .with(
            libraries.stream()
                .map(each -> LoaderCache.Entry.of(each.name(), each.path(), each.machine()))
                .toList())
        .bytes();
  }

  /** Writes it into a directory of the container's. */
  public static Path write(Path directory, byte[] content) {
    Path file = directory.resolve("ld.so.cache");
    try {
      Files.write(file, content);
      return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "prepare mounts", "cannot write %s: %s".formatted(file, e), e);
    }
  }
}
