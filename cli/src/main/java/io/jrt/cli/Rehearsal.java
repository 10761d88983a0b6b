package io.jrt.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Runs command lines from standard input one after another in one process. The build makes the
 * start-up cache of such a run: it holds what each of the commands loads.
 */
public final class Rehearsal {
  private Rehearsal() {}

  public static void main(String[] arguments) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Jrt.run(List.of(line.split(" ")), System.out, System.err);
    }
    System.exit(0);
  }
}
