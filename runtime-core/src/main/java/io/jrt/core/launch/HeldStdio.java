package io.jrt.core.launch;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The daemon's own descriptors of a process's standard streams, copied from its supervisor's. */
final class HeldStdio implements AutoCloseable {
  private volatile @Nullable Fd stdin;
  private final @Nullable Fd stdout;
  private final @Nullable Fd stderr;
  private final @Nullable Fd terminal;

  HeldStdio(Kernel kernel, Fd supervisor, Records.Started started) {
    Fd in = null;
    Fd out = null;
    Fd err = null;
    try {
      in = copy(kernel, supervisor, started.stdin());
      out = copy(kernel, supervisor, started.stdout());
      err = copy(kernel, supervisor, started.stderr());
      terminal = copy(kernel, supervisor, started.terminal());
    } catch (RuntimeException e) {
      closeIfOpen(in);
      closeIfOpen(out);
      closeIfOpen(err);
      throw e;
    }
    stdin = in;
    stdout = out;
    stderr = err;
  }

  private static @Nullable Fd copy(Kernel kernel, Fd supervisor, int number) {
    return number < 0 ? null : kernel.processes().pidfdGetfd(supervisor, number);
  }

  Optional<Fd> stdin() {
    return Optional.ofNullable(stdin);
  }

  Optional<Fd> stdout() {
    return Optional.ofNullable(stdout);
  }

  Optional<Fd> stderr() {
    return Optional.ofNullable(stderr);
  }

  Optional<Fd> terminal() {
    return Optional.ofNullable(terminal);
  }

  /** False when it was closed before, or there is none. */
  boolean closeStdin() {
    Fd open = stdin;
    stdin = null;
    closeIfOpen(open);
    return open != null;
  }

  @Override
  public void close() {
    closeStdin();
    closeIfOpen(stdout);
    closeIfOpen(stderr);
    closeIfOpen(terminal);
  }

  private static void closeIfOpen(@Nullable Fd fd) {
    if (fd != null) {
      fd.close();
    }
  }
}
