package io.jrt.core.spec;

import io.jrt.core.Bytes;
import io.jrt.core.EnvVar;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageUser;
import java.util.List;

/**
 * The process a container is to run, as the request and the image together say.
 *
 * @param workingDirectory absolute in the container
 * @param stopSignal number of the signal that a stop sends first
 * @param imageUser what the image says about the user, for when the request says nothing
 * @param volumes absolute paths that the image wants to be writable whatever the root is
 */
public record ProcessPlan(
    List<Bytes> args,
    List<EnvVar> environment,
    String workingDirectory,
    int stopSignal,
    ImageUser imageUser,
    List<String> volumes) {
  public ProcessPlan {
    args = List.copyOf(args);
    environment = List.copyOf(environment);
    volumes = List.copyOf(volumes);
  }

  /**
   * The same in another directory, unless that is empty, and with these variables over what is set.
   *
   * @throws JrtException INVALID for a directory that is not absolute, and for bad names
   */
  public ProcessPlan withChanges(String directory, List<EnvVar> variables) {
    return new ProcessPlan(
        args,
        Environment.of(environment).with(variables).variables(),
        directory.isEmpty() ? workingDirectory : checkDirectory(directory),
        stopSignal,
        imageUser,
        volumes);
  }

  static String checkDirectory(String directory) {
    if (!directory.startsWith("/") || directory.indexOf('\0') >= 0) {
      throw new JrtException(
          ErrorKind.INVALID,
          "decide working directory",
          "working directory \"%s\" is not absolute".formatted(directory));
    }
    return directory;
  }

  /** The same with these {@code NAME=value} over what is set. */
  public ProcessPlan withEntries(List<String> entries) {
    return new ProcessPlan(
        args,
        Environment.of(environment).withEntries(entries).variables(),
        workingDirectory,
        stopSignal,
        imageUser,
        volumes);
  }

  /** The same with these variables where they are not set yet. */
  public ProcessPlan withDefaults(List<EnvVar> defaults) {
    return new ProcessPlan(
        args,
        Environment.of(defaults).with(environment).variables(),
        workingDirectory,
        stopSignal,
        imageUser,
        volumes);
  }
}
