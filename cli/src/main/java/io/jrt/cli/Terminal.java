package io.jrt.cli;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The terminal the command was called from. Its modes are set through stty(1), which is on every
 * Debian system: loading native access into the client would cost more than starting it.
 */
final class Terminal implements AutoCloseable {
  /** A window size in characters. */
  record Size(int columns, int rows) {}

  private final String saved;
  private final Thread restoreAtExit;

  private Terminal(String saved) {
    this.saved = saved;
    this.restoreAtExit = new Thread(this::restore, "restore terminal");
  }

  /** Hands every key through: no echo, no line editing, no signals. Closing undoes it. */
  static Terminal raw() throws IOException {
    Terminal terminal = new Terminal(stty("-g"));
    Runtime.getRuntime().addShutdownHook(terminal.restoreAtExit);
    stty("raw", "-echo");
    return terminal;
  }

  static boolean isInput() {
    return Optional.ofNullable(System.console()).map(c -> c.isTerminal()).orElse(false);
  }

  /** Whether output goes to a person, who may want colours and moving bars. */
  static boolean isOutput() {
    return isInput() && System.getenv("NO_COLOR") == null;
  }

  static Size size() throws IOException {
    String[] parts = stty("size").split(" ");
    if (parts.length != 2) {
      return new Size(80, 24);
    }
    return new Size(Integer.parseInt(parts[1]), Integer.parseInt(parts[0]));
  }

  /** Calls back at each change of the window's size. */
  static void onResize(Runnable callback) {
    // sun.misc.Signal has no successor, and javac's warning of it cannot be turned off by name.
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              Terminal.class.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> {
                callback.run();
                return null;
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance("WINCH"), proxy);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java runtime has no sun.misc.Signal", e);
    }
  }

  private static String stty(String... arguments) throws IOException {
    String[] command = new String[arguments.length + 1];
    command[0] = "stty";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process process =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.INHERIT)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
    try {
      int code = process.waitFor();
      if (code != 0) {
        throw new IOException("stty " + String.join(" ", arguments) + " failed: no terminal");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return output;
  }

  private void restore() {
    try {
      stty(saved);
    } catch (IOException e) {
      System.err.println("jrt: the terminal's modes could not be put back: " + e.getMessage());
    }
  }

  @Override
  public void close() {
    restore();
    Runtime.getRuntime().removeShutdownHook(restoreAtExit);
  }
}
