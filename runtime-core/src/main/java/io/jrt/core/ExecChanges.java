package io.jrt.core;

import java.util.List;

/**
 * What a command is to have otherwise than the container's own process.
 *
 * @param user an id or a name among the container's accounts; empty for the container's own
 * @param group an id or a name among the container's groups; empty for the user's own
 * @param workingDirectory absolute; empty for the container's own
 * @param environment over the container's own
 */
public record ExecChanges(
    String user, String group, String workingDirectory, List<EnvVar> environment) {
  public static final ExecChanges NONE = new ExecChanges("", "", "", List.of());

  public ExecChanges {
    environment = List.copyOf(environment);
  }
}
