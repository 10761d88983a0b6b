package io.jrt.core.life;

import io.jrt.core.ExitCause;
import io.jrt.core.launch.ExitRecord;
import io.jrt.linux.Signals;
import java.util.OptionalInt;
import java.util.function.Supplier;

/** Says why a container ended, in the words that the kubelet knows. */
final class Exits {
  static final String OOM_KILLED = "OOMKilled";
  private static final int UNKNOWN_CODE = 255;
  private static final int LAST_SIGNAL = 31;

  private Exits() {}

  /**
   * @param oomKills how many processes of this very container the kernel killed for want of memory
   *     since it was started; an earlier one that it outlived does not explain a later SIGTERM
   * @param memoryLimit its limit in bytes; not above 0 when it has none
   * @param byRuntime whether the runtime had sent it a signal
   * @param mainWasKilled asked only when its count and its signal leave open whether the kernel
   *     killed its main process or another one
   */
  static ExitCause cause(
      ExitRecord exit,
      long oomKills,
      long memoryLimit,
      boolean byRuntime,
      Supplier<KernelLog.Victim> mainWasKilled) {
    int code = exit.status();
    OptionalInt signal = exit.signal() == 0 ? OptionalInt.empty() : OptionalInt.of(exit.signal());
    boolean killed = code == 128 + Signals.SIGKILL;
    if (oomKills > 0
        && killed
        && !byRuntime
        && (signal.isEmpty() || mainWasKilled.get() != KernelLog.Victim.NO)) {
      String victim = signal.isPresent() ? "it" : "a process of it, and it ended with that";
      return new ExitCause(
          code, signal, OOM_KILLED, "the kernel killed " + victim + ": " + limit(memoryLimit));
    }
    if (code == 0) {
      return new ExitCause(code, signal, "Completed", "");
    }
    String message = signal.isEmpty() ? ofCode(code) : ofSignal(exit, byRuntime);
    if (oomKills > 0) {
      // It lived on without them, so they do not explain its end; they may have led to it.
      message =
          (message.isEmpty() ? "" : message + "; ")
              + "before that the kernel had killed %d of its processes: %s"
                  .formatted(oomKills, limit(memoryLimit));
    }
    return new ExitCause(code, signal, "Error", message);
  }

  private static String limit(long memoryLimit) {
    return memoryLimit > 0
        ? "its memory limit of %d bytes was reached".formatted(memoryLimit)
        : "the memory of its pod or of the node was used up";
  }

  /** What shells mean by a code; a program's own codes need no words. */
  private static String ofCode(int code) {
    return switch (code) {
      case 126 -> "exit code 126: shells say so of a command that cannot be executed";
      case 127 -> "exit code 127: shells say so of a command that is not found";
      default ->
          code > 128 && code <= 128 + LAST_SIGNAL
              ? "exit code %d: shells say so of a command that was ended by %s"
                  .formatted(code, Signals.name(code - 128))
              : "";
    };
  }

  private static String ofSignal(ExitRecord exit, boolean byRuntime) {
    String name = Signals.name(exit.signal());
    if (byRuntime) {
      return "ended by %s on a request to stop".formatted(name);
    }
    String core = exit.coreDumped() ? ", with a core dump" : "";
    return switch (name) {
      case "SIGSEGV", "SIGBUS" -> "ended by %s: a bad memory access%s".formatted(name, core);
      case "SIGILL" -> "ended by SIGILL: an instruction that this processor has not" + core;
      case "SIGFPE" -> "ended by SIGFPE: an impossible calculation" + core;
      case "SIGABRT" -> "ended by SIGABRT: it gave up by itself" + core;
      case "SIGSYS" -> "ended by SIGSYS: a system call that its seccomp profile forbids" + core;
      case "SIGXCPU" -> "ended by SIGXCPU: its limit of processor time was reached" + core;
      case "SIGXFSZ" -> "ended by SIGXFSZ: its limit of file sizes was reached" + core;
      default -> "ended by %s, which the runtime did not send%s".formatted(name, core);
    };
  }

  /** Nobody saw how it ended. */
  static ExitCause unknown(String why) {
    return new ExitCause(UNKNOWN_CODE, OptionalInt.empty(), "Unknown", why);
  }
}
