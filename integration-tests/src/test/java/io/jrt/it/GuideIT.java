package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands of README and guides. Those of {@code jrt} that stand by themselves are run against
 * a daemon, in their order; of those with a placeholder (IMAGE, NODE) command and options must
 * exist, and every key of the configuration that is named must be one.
 */
class GuideIT {
  private static final Path SOURCE = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\b[A-Z]{4,}\\b|example\\.org|[$|]|/etc/jrt|\\.\\.\\.");

  /** What ends only when somebody ends it, or needs a containerd or a GPU. */
  private static final Pattern ELSEWHERE =
      Pattern.compile("^jrt (exec -it|logs -f|top|events|migrate|cdi generate)\\b.*");

  private static final Pattern KEY =
      Pattern.compile("`((?:images|network|containers|streaming|devices)(?:\\.[a-z-]+)+)`");

  @TempDir private static Path settings;
  private static Daemon daemon;
  private static String port;

  @BeforeAll
  static void start() throws IOException {
    daemon =
        Daemon.start(
            """
            [images]
            hosts-dirs = ["%1$s/certs.d"]
            registries-yaml = "%1$s/registries.yaml"
            docker-config = "%1$s/docker-config.json"
            """
                    .formatted(settings)
                + Daemon.ownRange());
    try (ServerSocket free = new ServerSocket(0)) {
      port = String.valueOf(free.getLocalPort());
    }
  }

  @AfterAll
  static void stop() throws IOException {
    daemon.close();
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>(List.of(SOURCE.resolve("README.md")));
    try (Stream<Path> guides = Files.list(SOURCE.resolve("docs/guides"))) {
      guides.sorted().forEach(documents::add);
    }
    return documents;
  }

  /** Lines of code blocks, fenced or indented, that begin with jrt; comments are cut off. */
  private static List<String> commands(Path document) throws IOException {
    List<String> commands = new ArrayList<>();
    boolean fenced = false;
    for (String line : Files.readAllLines(document)) {
      String text = line.strip();
      if (text.startsWith("```")) {
        fenced = !fenced;
      } else if ((fenced || line.startsWith("    "))
          && (text.startsWith("jrt ") || text.startsWith("$ jrt "))) {
        commands.add(text.replaceFirst("^\\$ ", "").replaceFirst("\\s{2,}#.*$", "").strip());
      }
    }
    return commands;
  }

  @Test
  void theCommandsOfTheGuidesWork() throws Exception {
    List<String> failed = new ArrayList<>();
    int run = 0;
    for (Path document : documents()) {
      for (String command : commands(document)) {
        Matcher placeholder = PLACEHOLDER.matcher(command);
        if (placeholder.find() || ELSEWHERE.matcher(command).matches()) {
          checkWords(command, document, failed);
          continue;
        }
        run++;
        Daemon.Result result = daemon.jrt(words(command));
        // The doctor's exit code tells about the machine.
        if (result.code() != 0 && !command.startsWith("jrt doctor")) {
          failed.add("%s: %s: %s".formatted(document.getFileName(), command, result.err()));
        }
      }
      daemon.jrt("rm", "-fa").ok();
    }
    assertThat(failed).isEmpty();
    assertThat(run).isGreaterThan(15);
  }

  private static String[] words(String command) {
    return command
        .substring("jrt ".length())
        .replaceAll("\\S*busybox\\.tar", Daemon.bundledArchive().toString())
        .replace("8080:", port + ":")
        .split(" +");
  }

  /** A command that cannot be run here must at least be one, with options that exist. */
  private static void checkWords(String command, Path document, List<String> failed)
      throws IOException, InterruptedException {
    List<String> words = List.of(command.split(" +"));
    Daemon.Result help = daemon.jrt("help", words.get(1));
    if (help.code() != 0) {
      help = daemon.jrt("help", words.get(1), words.get(2));
    }
    for (String word : words) {
      if (help.code() != 0
          || (word.startsWith("--") && !help.out().contains(word.replaceFirst("=.*", "")))) {
        failed.add("%s: %s: no %s".formatted(document.getFileName(), command, word));
        return;
      }
    }
  }

  @Test
  void theKeysThatGuidesNameExist() throws Exception {
    String all = daemon.jrt("config", "default").ok();
    List<String> unknown = new ArrayList<>();
    for (Path document : documents()) {
      Matcher keys = KEY.matcher(Files.readString(document));
      while (keys.find()) {
        String key = keys.group(1);
        String section = key.substring(0, key.lastIndexOf('.'));
        String name = key.substring(key.lastIndexOf('.') + 1);
        Matcher found =
            Pattern.compile(
                    "(?ms)^\\[" + Pattern.quote(section) + "\\]$(?:(?!^\\[).)*^" + name + " = ")
                .matcher(all);
        if (!found.find() && !all.contains("[" + key + "]")) {
          unknown.add(document.getFileName() + ": " + key);
        }
      }
    }
    assertThat(unknown).isEmpty();
  }

  /** The fenced blocks of a guide that are of this language, in their order. */
  private static List<String> blocks(String guide, String language) throws IOException {
    List<String> blocks = new ArrayList<>();
    Matcher fenced =
        Pattern.compile("(?ms)^ *```" + language + "$(.*?)^ *```$")
            .matcher(Files.readString(SOURCE.resolve("docs/guides").resolve(guide)));
    while (fenced.find()) {
      blocks.add(fenced.group(1));
    }
    return blocks;
  }

  @Test
  void theConfigurationsThatGuidesShowAreGood() throws Exception {
    int checked = 0;
    for (Path document : documents()) {
      if (document.startsWith(SOURCE.resolve("docs"))) {
        for (String block : blocks(document.getFileName().toString(), "toml")) {
          if (!block.contains("hosts.toml")) {
            Path file = Files.writeString(settings.resolve("checked.toml"), block);
            daemon.jrt("config", "check", file.toString()).ok();
            checked++;
          }
        }
      }
    }
    assertThat(checked).isGreaterThan(2);
  }

  /** A registry stands in for Harbor; the files are the guide's, but for its name and account. */
  @Test
  void theSettingsOfTheHarborGuideServeForAPull() throws Exception {
    List<String> credentials = blocks("harbor.md", "json");
    List<String> yaml = blocks("harbor.md", "yaml");
    TestImage image =
        TestImage.of(
            Map.of("Cmd", List.of("/x")),
            TestImage.Packing.GZIP,
            List.of(new LayerBuilder().file("x", 0755, "x").tar()));
    String basic =
        Base64.getEncoder().encodeToString("robot$node:s3cret".getBytes(StandardCharsets.UTF_8));
    try (HostileRegistry harbor = new HostileRegistry(InetAddress.getLoopbackAddress())) {
      harbor.push("hub/library/app", image);
      harbor.requireBasic("/v2/hub/library/app/manifests/1");
      Path hosts =
          Files.createDirectories(settings.resolve("certs.d/docker.io")).resolve("hosts.toml");
      Files.writeString(hosts, at(harbor, blocks("harbor.md", "toml").getFirst()));
      Path docker = settings.resolve("docker-config.json");
      write(
          docker,
          at(harbor, credentials.getFirst())
              .replaceFirst("(?m)^//.*$", "")
              .replaceFirst("\"BASE64[^\"]*\"", "\"" + basic + "\""));
      pullThrough(harbor, basic);

      // A directory of the registry's name would be the last word.
      Files.delete(hosts);
      Files.delete(hosts.getParent());
      Files.delete(docker);
      harbor.seen().clear();
      write(
          settings.resolve("registries.yaml"),
          at(harbor, yaml.getLast()) + at(harbor, yaml.getFirst()).replace("SECRET", "s3cret"));
      pullThrough(harbor, basic);
      Files.delete(settings.resolve("registries.yaml"));
    }
  }

  private static void write(Path file, String secret) throws IOException {
    Files.writeString(file, secret);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  private static String at(HostileRegistry harbor, String text) {
    return text.replace("https://harbor.example.org", "http://" + harbor.address())
        .replace("harbor.example.org:", "\"" + harbor.address() + "\":")
        .replace("harbor.example.org", harbor.address());
  }

  private static void pullThrough(HostileRegistry harbor, String basic) throws Exception {
    Daemon.Result pulled = daemon.jrt("pull", "-q", "docker.io/library/app:1");
    assertThat(pulled.code()).as("%s; asked: %s", pulled.err(), harbor.seen()).isZero();
    assertThat(harbor.seen())
        .contains("/v2/hub/library/app/manifests/1 auth=Basic " + basic)
        .allMatch(line -> line.startsWith("/v2/hub/") || line.startsWith("/v2/ "));
    daemon.jrt("rmi", "docker.io/library/app:1").ok();
  }
}
