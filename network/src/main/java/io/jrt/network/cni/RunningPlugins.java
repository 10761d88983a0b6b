package io.jrt.network.cni;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Signals;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins at work, so that the next daemon can tell those that outlive this one: an ADD that
 * goes on while the next daemon runs DEL would leave what it makes behind.
 *
 * <p>A plugin's standard input is a file below the state directory, which is deleted when the
 * plugin has ended. The daemon locks it, and the lock belongs to the open file: it is held for as
 * long as somebody has that open, which is the plugin when the daemon is dead.
 */
final class RunningPlugins {
  private static final Logger LOG = LoggerFactory.getLogger(RunningPlugins.class);
  private static final String STEP = "run cni plugin";
  private static final Duration GRACE = Duration.ofSeconds(2);
  private static final Duration LAST = Duration.ofSeconds(5);

  private final Kernel kernel;
  private final Path directory;
  private final AtomicLong names = new AtomicLong(System.nanoTime());

  /** Inputs of plugins that a former daemon did not see end, by sandbox. */
  private final Map<String, List<Path>> former = new ConcurrentHashMap<>();

  RunningPlugins(Kernel kernel, Path directory) {
    this.kernel = kernel;
    this.directory = directory;
    try {
      Files.createDirectories(directory);
      try (DirectoryStream<Path> left = Files.newDirectoryStream(directory)) {
        for (Path file : left) {
          String name = file.getFileName().toString();
          String sandbox = name.substring(0, Math.max(0, name.lastIndexOf('-')));
          if (sandbox.isEmpty()) {
            Files.delete(file); // it only asked something
          } else {
            former.computeIfAbsent(sandbox, key -> new ArrayList<>()).add(file);
          }
        }
      }
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot read " + directory, e);
    }
  }

  /** The standard input of one plugin; closed when the plugin has ended. */
  static final class Input implements AutoCloseable {
    private final Path file;
    private final Fd fd;

    private Input(Path file, Fd fd) {
      this.file = file;
      this.fd = fd;
    }

    Fd fd() {
      return fd;
    }

    @Override
    public void close() {
      delete(file);
      fd.close();
    }
  }

  /**
   * Makes the input of a plugin that is about to be run.
   *
   * @param sandboxId "" when it is about none
   */
  Input begin(String sandboxId, byte[] content) {
    Path file = directory.resolve(sandboxId + "-" + names.incrementAndGet());
    int flags = OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL;
    Fd fd = kernel.files().open(file, flags, 0600);
    Input input = new Input(file, fd);
    try {
      if (!kernel.files().tryFlock(fd)) {
        throw new JrtException(ErrorKind.INTERNAL, STEP, file + " is locked by somebody");
      }
      ByteBuffer bytes = ByteBuffer.wrap(content);
      for (int at = 0; bytes.hasRemaining(); ) {
        at += kernel.files().pwrite(fd, bytes, at); // leaves the file's offset at its start
      }
      return input;
    } catch (RuntimeException e) {
      input.close();
      throw e;
    }
  }

  /** Returns when no plugin of a former daemon works on a sandbox any more. */
  void awaitFormer(String sandboxId) {
    List<Path> files = former.getOrDefault(sandboxId, List.of());
    for (Path file : files) {
      try (Fd fd = kernel.files().open(file, OpenFlags.O_RDWR)) {
        if (!isFree(fd, GRACE)) {
          LOG.warn("ending a cni plugin that a former daemon started for sandbox {}", sandboxId);
          end(file);
          if (!isFree(fd, LAST)) {
            throw new JrtException(
                ErrorKind.UNAVAILABLE,
                STEP,
                "a cni plugin that a former daemon started for sandbox "
                    + sandboxId
                    + " does not end");
          }
        }
      } catch (KernelException e) {
        if (!e.is(Errno.ENOENT)) {
          throw e;
        }
      }
      delete(file);
    }
    former.remove(sandboxId);
  }

  private boolean isFree(Fd fd, Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    while (!kernel.files().tryFlock(fd)) {
      if (System.nanoTime() > end) {
        return false;
      }
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new JrtException(ErrorKind.CANCELLED, STEP, "interrupted", e);
      }
    }
    return true;
  }

  /** Ends whoever has the file as its input, with all that it started. */
  private void end(Path file) {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path process : (Iterable<Path>) processes::iterator) {
        String pid = process.getFileName().toString();
        if (pid.chars().allMatch(Character::isDigit) && hasInput(process, file)) {
          endGroup(Integer.parseInt(pid));
        }
      }
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot list processes", e);
    }
  }

  /** A plugin leads a process group; what it started may have its input, and leads none. */
  private void endGroup(int pid) {
    try {
      kernel.processes().kill(-pid, Signals.SIGKILL);
    } catch (KernelException e) {
      if (!e.is(Errno.ESRCH)) {
        throw e;
      }
    }
  }

  private static boolean hasInput(Path process, Path file) {
    try {
      return Files.readSymbolicLink(process.resolve("fd/0")).equals(file);
    } catch (IOException e) {
      return false; // it ended, or has none
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.warn("{} stays: {}", file, e.getMessage());
    }
  }
}
