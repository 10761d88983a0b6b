package io.jrt.core.spec;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.EnvVar;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ClaimCheck;
import io.jrt.image.ImageConfig;
import io.jrt.linux.Signals;
import java.util.ArrayList;
import java.util.List;

/**
 * Merges what a request says about a container's process with what its image claims.
 *
 * <p>A command in the request replaces both ENTRYPOINT and CMD; arguments alone replace CMD only.
 * The image's environment is overridden name by name. Working directory, user and stop signal of
 * the image count when the request is silent.
 */
public final class ProcessMerge {
  private static final String STEP = "merge process";
  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private ProcessMerge() {}

  /**
   * @param hostname what the variable {@code HOSTNAME} is set to; empty for not at all
   */
  public static ProcessPlan merge(ContainerConfig request, ImageConfig image, String hostname) {
    Environment environment = Environment.of(List.of(EnvVar.of("PATH", DEFAULT_PATH)));
    if (!hostname.isEmpty()) {
      environment.with(List.of(EnvVar.of("HOSTNAME", hostname)));
    }
    if (request.tty()) {
      environment.with(List.of(EnvVar.of("TERM", "xterm")));
    }
    environment
        .withEntries(image.env().through(ClaimCheck.ENVIRONMENT))
        .with(request.environment());
    return new ProcessPlan(
        args(request, image),
        environment.variables(),
        workingDirectory(request, image),
        stopSignal(request, image),
        image.user().through(ClaimCheck.USER),
        image.volumes().through(ClaimCheck.VOLUME_PATHS));
  }

  private static List<Bytes> args(ContainerConfig request, ImageConfig image) {
    List<Bytes> args = new ArrayList<>();
    if (!request.command().isEmpty()) {
      args.addAll(request.command());
      args.addAll(request.args());
    } else {
      args.addAll(Bytes.listOf(image.entrypoint().through(ClaimCheck.ARGUMENTS)));
      args.addAll(
          request.args().isEmpty()
              ? Bytes.listOf(image.cmd().through(ClaimCheck.ARGUMENTS))
              : request.args());
    }
    if (args.isEmpty() || args.getFirst().isEmpty()) {
      throw invalid(
          "neither the request nor image %s names a command".formatted(request.image().image()));
    }
    for (Bytes arg : args) {
      if (arg.contains((byte) 0)) {
        throw invalid("an argument of the command has a NUL");
      }
    }
    return args;
  }

  private static String workingDirectory(ContainerConfig request, ImageConfig image) {
    String asked = request.workingDirectory();
    String directory = asked.isEmpty() ? image.workingDir().through(ClaimCheck.WORKING_DIR) : asked;
    if (directory.isEmpty()) {
      return "/";
    }
    return ProcessPlan.checkDirectory(directory);
  }

  private static int stopSignal(ContainerConfig request, ImageConfig image) {
    String asked = request.stopSignal();
    if (!asked.isEmpty()) {
      return Signals.parse(asked)
          .orElseThrow(() -> invalid("stop signal \"" + asked + "\" is not known"));
    }
    // A signal that only the image names and nobody knows must not keep the container from running.
    return Signals.parse(image.stopSignal().through(ClaimCheck.STOP_SIGNAL))
        .orElse(Signals.SIGTERM);
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, STEP, message);
  }
}
