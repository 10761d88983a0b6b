package io.jrt.core.life;

import io.jrt.core.io.Stdio;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.launch.LiveExec;
import io.jrt.core.launch.LiveProcess;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import java.util.Optional;

/** The daemon's ends of a process's streams, for who moves the bytes. */
final class Streams {
  private Streams() {}

  /** Copies of the descriptors, as each side closes its own; a command's input moves over whole. */
  static Stdio of(Kernel kernel, LiveProcess process, boolean takesInput) {
    Optional<Fd> terminal = process.terminal();
    if (terminal.isPresent()) {
      return new Stdio.Terminal(kernel.files().dup(terminal.get()), takesInput);
    }
    Fd stdout = kernel.files().dup(required(process.stdout()));
    Fd stderr = kernel.files().dup(required(process.stderr()));
    Optional<Fd> stdin = process.stdin();
    if (stdin.isEmpty()) {
      return new Stdio.Outputs(stdout, stderr);
    }
    Fd input = kernel.files().dup(stdin.get());
    switch (process) {
      // A container's input outlives its clients and the daemon: the keeper goes on holding it.
      case LiveContainer _ -> {}
      case LiveExec command -> command.closeStdin();
    }
    return new Stdio.Pipes(input, stdout, stderr);
  }

  private static Fd required(Optional<Fd> output) {
    return output.orElseThrow(
        () -> new JrtException(ErrorKind.INTERNAL, "serve streams", "a process has no output"));
  }
}
