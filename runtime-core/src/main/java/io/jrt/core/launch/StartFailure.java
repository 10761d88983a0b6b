package io.jrt.core.launch;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Signals;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntFunction;

/** Turns a failure report of jrt-init into a sentence that names what was asked for. */
final class StartFailure {
  // Of a mount.
  private static final int TARGET = 1;
  private static final int ROOT = 7;

  // Of a program.
  private static final int DIRECTORY = 1;
  private static final int INTERPRETER = 2;
  private static final int MACHINE = 3;
  private static final int FORMAT = 4;

  private static final Map<Integer, String> MACHINES =
      Map.of(
          3, "x86",
          8, "mips",
          20, "ppc",
          21, "ppc64",
          22, "s390x",
          40, "arm",
          62, "amd64",
          183, "arm64",
          243, "riscv64",
          258, "loong64");

  private StartFailure() {}

  static JrtException ofContainer(LaunchSpec spec, Optional<RootfsGate> hooks, Report report) {
    if (Step.of(report.step()) == Step.HOOK) {
      return hookFailed(hooks.orElseThrow().inside().get(report.index()), report);
    }
    IntFunction<String> object =
        switch (Step.of(report.step())) {
          case MOUNT -> i -> mount(spec.mounts().get(i), report);
          case DEVICE -> i -> spec.devices().get(i).path().toString();
          case MASKED -> i -> spec.maskedPaths().get(i).toString();
          case READONLY -> i -> spec.readonlyPaths().get(i).toString();
          case SYSCTL -> i -> List.copyOf(new TreeMap<>(spec.sysctls()).keySet()).get(i);
          case HOSTNAME -> i -> spec.hostname();
          case DOMAINNAME -> i -> spec.domainname();
          case TERMINAL -> i -> "of /dev/pts";
          default -> i -> "";
        };
    return of("start container", spec.process(), report, object);
  }

  static JrtException ofExec(ExecSpec spec, Report report) {
    return of("exec", spec.process(), report, i -> "");
  }

  private static JrtException of(
      String operation, ProcessSpec process, Report report, IntFunction<String> object) {
    Step step = Step.of(report.step());
    return switch (step) {
      case EXEC -> execFailed(operation, process, report);
      case CWD -> cwdFailed(operation, process, report);
      case CWD_OUTSIDE ->
          new JrtException(
              ErrorKind.INVALID,
              operation,
              "working directory " + process.cwd() + " is outside the container's root");
      case DIED ->
          new JrtException(
              ErrorKind.UNAVAILABLE,
              operation,
              "the process was killed by "
                  + Signals.name(report.index())
                  + " before its program started",
              "its memory limit may be too small even for that",
              null);
      default -> {
        String what =
            switch (step) {
              case RLIMIT -> rlimit(process, report.index());
              case APPARMOR -> process.apparmorProfile();
              case SELINUX -> process.selinuxLabel();
              case UID, GID, BOUNDING, AMBIENT ->
                  Long.toString(Integer.toUnsignedLong(report.index()));
              default -> object.apply(report.index());
            };
        yield new JrtException(
            kind(report.errno()),
            operation,
            "cannot "
                + step.phrase()
                + (what.isEmpty() ? "" : " " + what)
                + ": "
                + Errno.of(report.errno()).description()
                + (report.text().isEmpty() ? "" : " (" + report.text().strip() + ')'));
      }
    };
  }

  private static JrtException hookFailed(RootfsGate.Inside hook, Report report) {
    Errno errno = Errno.of(report.errno());
    String how =
        switch (errno) {
          case ECHILD -> " failed with " + report.extra();
          case ETIMEDOUT -> " did not end within " + hook.seconds() + " s";
          default -> " cannot be run: " + errno.description();
        };
    ErrorKind kind = errno == Errno.ETIMEDOUT ? ErrorKind.DEADLINE : ErrorKind.FAILED_PRECONDITION;
    return new JrtException(kind, "run hooks", hook.what() + how);
  }

  private static JrtException execFailed(String operation, ProcessSpec process, Report report) {
    String program = report.text().isEmpty() ? process.args().getFirst().toString() : report.text();
    String asked = process.args().getFirst().toString();
    Errno errno = Errno.of(report.errno());
    String message =
        switch (report.extra()) {
          case DIRECTORY -> "exec " + program + ": is a directory";
          case INTERPRETER -> "exec " + asked + ": missing interpreter " + report.text();
          case MACHINE ->
              "exec "
                  + program
                  + ": wrong architecture: the program is for "
                  + MACHINES.getOrDefault(report.index(), "machine " + report.index())
                  + ", this machine is "
                  + hostMachine();
          case FORMAT -> "exec " + program + ": not a program: no known format and no #! line";
          default ->
              switch (errno) {
                case ENOENT ->
                    asked.indexOf('/') >= 0
                        ? "exec " + asked + ": no such file in the image"
                        : "exec " + asked + ": no such file in the container's PATH";
                case EACCES -> "exec " + program + ": permission denied";
                case E2BIG -> "exec " + program + ": arguments and environment are too long";
                default -> "exec " + program + ": " + errno.description();
              };
        };
    ErrorKind kind =
        switch (errno) {
          case EACCES, EPERM -> report.extra() == DIRECTORY ? ErrorKind.INVALID : ErrorKind.DENIED;
          case ENOMEM, EAGAIN -> ErrorKind.EXHAUSTED;
          case ENOENT -> ErrorKind.NOT_FOUND;
          default -> ErrorKind.INVALID;
        };
    return new JrtException(kind, operation, message);
  }

  private static JrtException cwdFailed(String operation, ProcessSpec process, Report report) {
    Errno errno = Errno.of(report.errno());
    String why =
        switch (errno) {
          case ENOENT -> "no such directory in the container";
          case ELOOP -> "leads through a link that is not followed";
          default -> errno.description();
        };
    return new JrtException(
        errno == Errno.EACCES ? ErrorKind.DENIED : ErrorKind.INVALID,
        operation,
        "working directory " + process.cwd() + ": " + why);
  }

  private static String mount(MountStep step, Report report) {
    String target = step.target().toString();
    String what =
        switch (step) {
          case MountStep.Make make -> make.type() + " on " + target;
          case MountStep.Attach attach -> "a volume on " + target;
          case MountStep.Restrict restrict -> "with new attributes " + target;
          case MountStep.Link link -> "the link " + target;
        };
    return switch (report.extra()) {
      case TARGET -> what + ", whose path cannot be entered or made";
      case ROOT -> what + ", which is the container's root by a link of the image";
      default -> what;
    };
  }

  private static String rlimit(ProcessSpec process, int index) {
    Rlimit limit = process.rlimits().get(index);
    return limit.resource() + " to " + limit.soft() + " of " + limit.hard();
  }

  private static ErrorKind kind(int errno) {
    return switch (Errno.of(errno)) {
      case EPERM, EACCES, EROFS -> ErrorKind.DENIED;
      case ENOSPC, EDQUOT -> ErrorKind.NO_SPACE;
      case EMFILE, ENFILE, EAGAIN, ENOMEM -> ErrorKind.EXHAUSTED;
      case EINVAL, ENOENT, ENOTDIR, EEXIST, ELOOP, ENAMETOOLONG, ENODEV -> ErrorKind.INVALID;
      default -> ErrorKind.INTERNAL;
    };
  }

  private static String hostMachine() {
    return System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
  }
}
