package io.jrt.core.life;

import io.jrt.core.ExitCause;
import io.jrt.core.launch.ExitRecord;
import io.jrt.linux.Signals;
import java.util.OptionalInt;

/** Says why a container ended, in the words that the kubelet knows. */
final class Exits {
  static final String OOM_KILLED = "OOMKilled";
  private static final int UNKNOWN_CODE = 255;

  private Exits() {}

  /**
   * @param oomKill whether the kernel killed a process of this very container for want of memory
   *     since it was started; an earlier one that it outlived does not explain a later SIGTERM
   * @param byRuntime whether the runtime had sent it a signal
   */
  static ExitCause cause(ExitRecord exit, boolean oomKill, boolean byRuntime) {
    int code = exit.status();
    OptionalInt signal = exit.signal() == 0 ? OptionalInt.empty() : OptionalInt.of(exit.signal());
    boolean killed = code == 128 + Signals.SIGKILL;
    if (oomKill && killed && !byRuntime) {
      return new ExitCause(
          code, signal, OOM_KILLED, "the kernel killed it: its memory limit was reached");
    }
    if (code == 0) {
      return new ExitCause(code, signal, "Completed", "");
    }
    if (signal.isEmpty()) {
      return new ExitCause(code, signal, "Error", "");
    }
    String name = Signals.name(exit.signal());
    String message =
        byRuntime
            ? "ended by %s on a request to stop".formatted(name)
            : "ended by %s, which the runtime did not send".formatted(name);
    return new ExitCause(code, signal, "Error", message);
  }

  /** Nobody saw how it ended. */
  static ExitCause unknown(String why) {
    return new ExitCause(UNKNOWN_CODE, OptionalInt.empty(), "Unknown", why);
  }
}
