package io.jrt.server;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where {@code jrt-init} lies. */
final class InitProgram {
  private InitProgram() {}

  /** By the system property {@code jrt.init}, or in {@code libexec} of the installed tree. */
  static Path find(Map<String, String> environment) {
    String home = environment.getOrDefault("JRT_HOME", "/usr");
    Path program =
        Path.of(System.getProperty("jrt.init", home + "/libexec/jrt-init")).toAbsolutePath();
    if (!Files.isExecutable(program)) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "start",
          "there is no program " + program,
          "run bin/jrtd of an installed tree, or give -Djrt.init=PATH",
          null);
    }
    return program;
  }
}
