package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** AppArmor profiles: the default one is loaded by jrt, all others by the node's administrator. */
final class AppArmor {
  private static final String STEP = "apply apparmor profile";
  private static final String UNCONFINED = "unconfined";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.:/+@-]{0,254}");
  private static final int PARSER_SECONDS = 30;

  private final Path parameter;
  private final Path profiles;
  private final List<Path> parsers;
  private final String defaultName;
  private final Object lock = new Object();

  AppArmor(String defaultName) {
    this(
        defaultName,
        Path.of("/sys/module/apparmor/parameters/enabled"),
        Path.of("/sys/kernel/security/apparmor/profiles"),
        List.of(Path.of("/usr/sbin/apparmor_parser"), Path.of("/sbin/apparmor_parser")));
  }

  AppArmor(String defaultName, Path parameter, Path profiles, List<Path> parsers) {
    this.defaultName = defaultName;
    this.parameter = parameter;
    this.profiles = profiles;
    this.parsers = List.copyOf(parsers);
  }

  /** Why there is no AppArmor, or empty. */
  String unavailable() {
    try {
      if (!Files.readString(parameter).strip().equals("Y")) {
        return "switched off in the kernel";
      }
    } catch (IOException e) {
      return "not in this kernel";
    }
    return Files.isReadable(profiles) ? "" : profiles + " is not readable (securityfs not mounted)";
  }

  /**
   * Why RuntimeDefault means no profile on this node, or empty. Without a parser it cannot be
   * loaded; as with containerd that is no reason to start nothing at all, so it has to be seen.
   */
  String defaultUnavailable() {
    String missing = unavailable();
    if (!missing.isEmpty() || isLoaded(defaultName) || parser().isPresent()) {
      return missing;
    }
    return "the default profile cannot be loaded: apparmor_parser is missing";
  }

  private Optional<Path> parser() {
    return parsers.stream().filter(Files::isExecutable).findFirst();
  }

  /** The profile to run under, or empty for none. */
  Optional<String> choose(SecurityProfile profile) {
    String missing = unavailable();
    return switch (profile) {
      // "unconfined" is said aloud: without it a container would inherit the daemon's profile.
      case SecurityProfile.Unconfined() ->
          missing.isEmpty() ? Optional.of(UNCONFINED) : Optional.empty();
      case SecurityProfile.RuntimeDefault() -> {
        if (!missing.isEmpty()) {
          yield Optional.empty();
        }
        yield loadDefault();
      }
      case SecurityProfile.Localhost(String name) -> {
        if (!missing.isEmpty()) {
          throw new JrtException(
              ErrorKind.FAILED_PRECONDITION,
              STEP,
              "apparmor profile \"%s\" cannot be applied: apparmor is %s".formatted(name, missing));
        }
        if (!NAME.matcher(name).matches()) {
          throw new JrtException(ErrorKind.INVALID, STEP, "apparmor profile name is malformed");
        }
        if (!name.equals(UNCONFINED) && !isLoaded(name)) {
          throw new JrtException(
              ErrorKind.FAILED_PRECONDITION,
              STEP,
              "apparmor profile \"%s\" is not loaded".formatted(name),
              "load it on this node with apparmor_parser -r",
              null);
        }
        yield Optional.of(name);
      }
    };
  }

  private Optional<String> loadDefault() {
    synchronized (lock) {
      if (isLoaded(defaultName)) {
        return Optional.of(defaultName);
      }
      Optional<Path> parser = parser();
      if (parser.isEmpty()) {
        return Optional.empty();
      }
      run(parser.get(), defaultProfile(defaultName));
      if (!isLoaded(defaultName)) {
        throw new JrtException(
            ErrorKind.INTERNAL,
            STEP,
            "apparmor profile \"%s\" is not there after loading it".formatted(defaultName));
      }
      return Optional.of(defaultName);
    }
  }

  private boolean isLoaded(String name) {
    try {
      // A line is "name (mode)"; a name may hold spaces, the mode does not.
      return Files.readAllLines(profiles).stream()
          .anyMatch(line -> line.startsWith(name + " (") && line.endsWith(")"));
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "cannot read " + profiles + ": " + e.getMessage(),
          e);
    }
  }

  private static void run(Path parser, String profile) {
    try {
      // -K: nothing is written to the machine's profile cache; no file name: it reads from stdin.
      Process process =
          new ProcessBuilder(parser.toString(), "-K", "-r").redirectErrorStream(true).start();
      try (OutputStream in = process.getOutputStream()) {
        in.write(profile.getBytes(StandardCharsets.UTF_8));
      }
      String output;
      try (InputStream out = process.getInputStream()) {
        output = new String(out.readNBytes(4096), StandardCharsets.UTF_8).strip();
      }
      if (!process.waitFor(PARSER_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new JrtException(ErrorKind.DEADLINE, STEP, parser + " did not end");
      }
      if (process.exitValue() != 0) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            STEP,
            "%s ended with %d: %s".formatted(parser, process.exitValue(), output));
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, STEP, "cannot run %s: %s".formatted(parser, e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, STEP, "interrupted while loading a profile", e);
    }
  }

  /**
   * The default profile: a container does what it likes within its own files, but mounts nothing,
   * leaves the kernel's knobs alone and traces and signals only its own kind.
   */
  static String defaultProfile(String name) {
    return
"""
profile %1$s flags=(attach_disconnected,mediate_deleted) {
  capability,
  file,
  network,
  umount,
  deny mount,

  # the node may signal a container, a container only processes of this profile
  signal (receive) peer=unconfined,
  signal (send, receive) peer=%1$s,
  ptrace (trace, tracedby, read, readby) peer=%1$s,
  unix,

  # of /proc only /proc/PID/** and the ipc parameters below /proc/sys/kernel may be written
  deny /proc/* w,
  deny /proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w,
  deny /proc/sys/[^k]** w,
  deny /proc/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny /proc/{kcore,kmem,mem,sysrq-trigger} rwklx,

  # of /sys only the control groups may be written
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
"""
        .formatted(name);
  }
}
