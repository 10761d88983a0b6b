package io.jrt.server.rpc;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The file of a unix socket that this daemon listens on, and no other's. */
public final class SocketFile {
  private static final Logger log = LoggerFactory.getLogger(SocketFile.class);

  private final Path path;
  private final Object inode;

  private SocketFile(Path path, Object inode) {
    this.path = path;
    this.inode = inode;
  }

  /** The file that was just bound. */
  public static SocketFile bound(Path path) throws IOException {
    return new SocketFile(path, inode(path));
  }

  /**
   * Listens on the path, where only those whom the permissions name may come.
   *
   * @param permissions as in {@code rw-rw----}
   * @param step for the error
   * @throws JrtException as {@link #prepare} does, and UNAVAILABLE when the socket cannot be made
   */
  public static Listening listen(Path path, String permissions, String step) {
    prepare(path, step);
    try {
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        server.bind(UnixDomainSocketAddress.of(path));
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        return new Listening(server, bound(path));
      } catch (IOException e) {
        server.close();
        throw e;
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, step, "cannot listen on %s: %s".formatted(path, e), e);
    }
  }

  /** A socket that is listened on, and its file. */
  public record Listening(ServerSocketChannel server, SocketFile file) {}

  private static Object inode(Path path) throws IOException {
    return Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Makes the directory, and removes the socket of a daemon that is gone.
   *
   * @param step for the error
   * @throws JrtException FAILED_PRECONDITION when another daemon listens there, INVALID when the
   *     path is something else's
   */
  public static void prepare(Path path, String step) {
    try {
      Path directory = path.toAbsolutePath().getParent();
      if (directory != null && !Files.isDirectory(directory)) {
        Files.createDirectories(
            directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      if (answers(path)) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            step,
            "another daemon listens on " + path,
            "stop it, or give this one its own --socket, --root and --state",
            null);
      }
      if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
          || Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        throw new JrtException(ErrorKind.INVALID, step, path + " is not a socket");
      }
      Files.delete(path);
      log.debug("removed the socket {} of a daemon that is gone", path);
    } catch (IOException e) {
      throw new JrtException(ErrorKind.UNAVAILABLE, step, "cannot prepare " + path, e);
    }
  }

  private static boolean answers(Path path) {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException refused) {
      log.debug("nobody listens on {}: {}", path, refused.toString());
      return false;
    }
  }

  /** Removes the file, unless a new daemon has taken the path over. */
  public void remove() {
    try {
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && inode.equals(inode(path))) {
        Files.delete(path);
      }
    } catch (IOException e) {
      log.warn("cannot remove {}: {}", path, e.toString());
    }
  }
}
