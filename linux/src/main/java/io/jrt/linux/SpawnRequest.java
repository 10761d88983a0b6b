package io.jrt.linux;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A program to start.
 *
 * @param program path of the file to execute; {@link Fd#procPath()} for an open file
 * @param argv arguments, the first by convention the name
 * @param envp {@code NAME=value} each
 * @param fds what the program's descriptors are: number to descriptor; all others are closed
 * @param newSession whether it becomes leader of a new session
 */
public record SpawnRequest(
    String program,
    List<byte[]> argv,
    List<byte[]> envp,
    Map<Integer, Fd> fds,
    boolean newSession) {

  public SpawnRequest {
    argv = List.copyOf(argv);
    envp = List.copyOf(envp);
    fds = Map.copyOf(fds);
  }

  /** With UTF-8 arguments and no environment. */
  public static SpawnRequest of(String program, Map<Integer, Fd> fds, String... argv) {
    List<byte[]> arguments = new ArrayList<>(argv.length);
    for (String argument : argv) {
      arguments.add(argument.getBytes(StandardCharsets.UTF_8));
    }
    return new SpawnRequest(program, arguments, List.of(), fds, true);
  }
}
