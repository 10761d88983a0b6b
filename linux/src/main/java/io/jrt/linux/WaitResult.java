package io.jrt.linux;

/** How a process ended. */
public sealed interface WaitResult {
  record Exited(int code) implements WaitResult {}

  record Signaled(int signal, boolean coreDumped) implements WaitResult {}

  /** What a shell would show: the code, or 128 plus the signal. */
  default int shellCode() {
    return switch (this) {
      case Exited(int code) -> code;
      case Signaled(int signal, boolean core) -> 128 + signal;
    };
  }
}
