package io.jrt.linux;

/** Pseudo terminals. */
public interface Terminals {
  /** A new terminal of the devpts instance at {@code ptmx} (a path to its ptmx file), unlocked. */
  Pty open(String ptmx);

  WindowSize windowSize(Fd terminal);

  /** Sets it; the foreground processes get SIGWINCH when it changed. */
  void setWindowSize(Fd terminal, WindowSize size);

  /** The two sides of a terminal. */
  record Pty(Fd master, Fd slave) implements AutoCloseable {
    @Override
    public void close() {
      master.close();
      slave.close();
    }
  }

  /** In characters. */
  record WindowSize(int rows, int columns) {}
}
