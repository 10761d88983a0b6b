package io.jrt.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The flags {@code --env} and {@code --env-file}. */
final class Variables {
  static final Flag ENV = Flag.option('e', "env", "KEY[=VALUE]", "set a variable, or hand ours on");
  static final Flag ENV_FILE =
      Flag.option("env-file", "FILE", "variables from a file, one KEY=VALUE a line");

  private Variables() {}

  /** {@code KEY=VALUE} each, those of files first; of ours what is not set is left out. */
  static List<String> of(Arguments arguments) throws IOException {
    List<String> all = new ArrayList<>();
    for (String file : arguments.values("env-file")) {
      for (String line : Files.readAllLines(Path.of(file))) {
        if (!line.isBlank() && !line.startsWith("#")) {
          all.add(line);
        }
      }
    }
    all.addAll(arguments.values("env"));
    List<String> variables = new ArrayList<>();
    for (String text : all) {
      if (text.indexOf('=') >= 0) {
        variables.add(text);
      } else {
        String ours = System.getenv(text);
        if (ours != null) {
          variables.add(text + "=" + ours);
        }
      }
    }
    return variables;
  }
}
