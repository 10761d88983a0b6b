package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/THREAT_MODEL.md names tests as evidence: each of them must exist. */
class ThreatModelTest {
  private static final Pattern NAMED = Pattern.compile("`(\\w+(?:IT|Test))\\.(\\w+|\\*)`");

  @Test
  void everyTestThatTheThreatModelNamesExists() throws IOException {
    Path root = Path.of("..").toAbsolutePath().normalize();
    String model = Files.readString(root.resolve("docs/THREAT_MODEL.md"));
    Map<String, String> sources = new HashMap<>();
    try (Stream<Path> modules = Files.list(root)) {
      for (Path tests :
          modules.map(m -> m.resolve("src/test/java")).filter(Files::isDirectory).toList()) {
        try (Stream<Path> files = Files.walk(tests)) {
          for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
            String name = String.valueOf(file.getFileName());
            sources.put(
                name.substring(0, name.length() - ".java".length()), Files.readString(file));
          }
        }
      }
    }
    List<String> missing = new ArrayList<>();
    Matcher named = NAMED.matcher(model);
    int count = 0;
    while (named.find()) {
      count++;
      String source = sources.getOrDefault(named.group(1), "");
      boolean there =
          named.group(2).equals("*")
              ? !source.isEmpty()
              : source.contains(" " + named.group(2) + "(");
      if (!there) {
        missing.add(named.group());
      }
    }
    assertThat(missing).as("named in docs/THREAT_MODEL.md, but no such test").isEmpty();
    assertThat(count).isGreaterThan(30);
  }
}
