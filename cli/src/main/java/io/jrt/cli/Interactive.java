package io.jrt.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalInt;

/** Joins a person's terminal, or a pipe, to a process in a container. */
final class Interactive {
  /** What the command answers when the person left and the process went on. */
  static final int DETACHED = 0;

  private static final int CTRL_P = 16;
  private static final int CTRL_Q = 17;

  private Interactive() {}

  /**
   * Copies both ways until the process ends or the person leaves with ctrl-p ctrl-q.
   *
   * @param input whether our standard input goes to the process
   * @param terminal whether the process has a terminal
   * @return the exit code of the process; empty when the person left
   */
  static OptionalInt join(String url, boolean input, boolean terminal, Session session)
      throws IOException {
    return join(url, input, terminal, session, () -> {});
  }

  /**
   * The same.
   *
   * @param joined run when the process's streams and ours are one, and before any of them is read
   */
  static OptionalInt join(String url, boolean input, boolean terminal, Session session, Step joined)
      throws IOException {
    boolean raw = terminal && input && Terminal.isInput();
    try (RemoteProcess process = RemoteProcess.connect(session.daemon(), url)) {
      if (terminal && Terminal.isInput()) {
        process.resize(Terminal.size());
        Terminal.onResize(() -> resize(process));
      }
      process.awaitJoined();
      joined.run();
      if (!raw) {
        if (input) {
          startInput(() -> process.copyInput(System.in));
        }
        return process.copyOutput(session.out(), session.err());
      }
      try (Terminal _ = Terminal.raw()) {
        startInput(() -> copyKeys(process, System.in));
        return process.copyOutput(session.out(), session.err());
      }
    }
  }

  private static void resize(RemoteProcess process) {
    try {
      process.resize(Terminal.size());
    } catch (IOException e) {
      // The process has ended: its last output, not its size, is what matters now.
      Thread.currentThread().interrupt();
    }
  }

  /** Every key goes to the process, save the two that leave it. */
  private static void copyKeys(RemoteProcess process, InputStream keys) throws IOException {
    byte[] buffer = new byte[4096];
    boolean leaving = false;
    for (int n = keys.read(buffer); n >= 0; n = keys.read(buffer)) {
      int from = 0;
      for (int i = 0; i < n; i++) {
        if (leaving && buffer[i] == CTRL_Q) {
          process.detach();
          return;
        }
        if (leaving) {
          process.input(new byte[] {CTRL_P}, 0, 1);
        }
        leaving = buffer[i] == CTRL_P;
        if (leaving) {
          process.input(buffer, from, i - from);
          from = i + 1;
        }
      }
      if (from < n) {
        process.input(buffer, from, n - from);
      }
    }
    process.closeInput();
  }

  private static void startInput(Step copy) {
    Thread.ofPlatform()
        .daemon()
        .name("input")
        .start(
            () -> {
              try {
                copy.run();
              } catch (IOException e) {
                // The process ended while somebody was typing; the output side says how.
                Thread.currentThread().interrupt();
              }
            });
  }

  /** Something to do that may fail as connections do. */
  interface Step {
    void run() throws IOException;
  }

  /** Refuses a terminal where we have none ourselves. */
  static void requireTerminal(boolean input, boolean terminal) {
    if (input && terminal && !Terminal.isInput()) {
      throw new UsageException(
          "-t needs a terminal, and standard input or output is none: leave -t out");
    }
  }
}
