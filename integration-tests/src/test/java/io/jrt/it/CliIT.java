package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The {@code jrt} command as people use it: each example of its help, terminals, bad input. */
class CliIT {
  private static final String IMAGE = "localhost/jrt-busybox:latest";

  /**
   * Examples that end only when somebody ends them, or need another runtime: others run their like.
   */
  private static final Set<String> INTERACTIVE =
      Set.of(
          "exec -it web sh",
          "attach shell",
          "port-forward web 8080:80",
          "cdi generate --watch /var/run/cdi",
          "events --since 10m --filter event=ContainerExited",
          "migrate containerd --dry-run");

  private static final String CDI_SPEC =
      """
      cdiVersion: "0.6.0"
      kind: vendor.com/device
      devices:
        - name: a
          containerEdits:
            env: ["A=b"]
      """;

  @TempDir private static Path directory;
  private static LocalRegistry registry;
  private static String app;
  private static Daemon daemon;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    registry = LocalRegistry.start(directory);
    app = registry.push("it/app", "1", Workloads.httpd());
    daemon =
        Daemon.start(
            "devices.host-root = '%s'\n%s".formatted(directory.resolve("node"), Daemon.ownRange()));
    daemon.bundledImage();
  }

  @AfterAll
  static void stop() throws IOException {
    registry.close();
    daemon.close();
  }

  @AfterEach
  void removeContainers() throws IOException, InterruptedException {
    daemon.jrt("rm", "-fa").ok();
  }

  @Test
  void everyExampleOfTheHelpWorks() throws Exception {
    List<String> examples = examples();
    assertThat(examples).hasSizeGreaterThan(40);
    List<String> failed = new ArrayList<>();
    for (String example : examples) {
      if (INTERACTIVE.contains(example) || example.startsWith("top")) {
        continue;
      }
      prepare(example);
      Daemon.Result result = daemon.jrt(words(example));
      // These two tell by their exit codes about the machine.
      boolean ofMachine = example.startsWith("doctor") || example.startsWith("cdi generate");
      if (result.code() != 0 && !ofMachine) {
        failed.add("jrt %s: %d %s".formatted(example, result.code(), result.err()));
      }
    }
    assertThat(failed).isEmpty();
  }

  private static List<String> examples() throws IOException, InterruptedException {
    List<String> examples = new ArrayList<>();
    for (String line : daemon.jrt("help").ok().split("\n\n", -1)[2].split("\n", -1)) {
      String command = line.strip().split(" {2,}", 2)[0];
      List<String> help = new ArrayList<>(List.of("help"));
      help.addAll(List.of(command.split(" ")));
      String text = daemon.jrt(help.toArray(String[]::new)).ok();
      for (String example : text.split("\nexamples\n", 2)[1].split("\n", -1)) {
        if (!example.isBlank()) {
          examples.add(example.strip().substring("jrt ".length()));
        }
      }
    }
    return examples;
  }

  /** Makes what an example takes for granted. */
  private static void prepare(String example) throws IOException, InterruptedException {
    daemon.jrt("rm", "-fa").ok();
    if (example.startsWith("cdi validate")) {
      Files.writeString(directory.resolve("vendor.yaml"), CDI_SPEC);
    }
    if (example.contains(" job")) {
      daemon.jrt("run", "-d", "--name", "job", IMAGE, "true").ok();
    }
    if (example.contains(" web") && !example.startsWith("run")) {
      daemon.jrt("run", "-d", "--name", "web", IMAGE, "sleep", "1000").ok();
    }
    if (example.startsWith("logs -f")) {
      daemon.jrt("kill", "web").ok();
    }
    if (example.contains(" later") && !example.startsWith("create")) {
      daemon.jrt("create", "--name", "later", IMAGE, "true").ok();
    }
    if (example.contains(" data") && !example.startsWith("volume create")) {
      daemon.jrt("volume", "create", "data").ok();
      daemon.jrt("volume", "export", "data", "--to", directory + "/data.tar").ok();
    }
    if (example.contains("rm") && example.contains("app:1")) {
      daemon.jrt("pull", "-q", app).ok();
    }
  }

  private static String[] words(String example) throws IOException {
    String port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = String.valueOf(free.getLocalPort());
    }
    return example
        .replace("localhost:5000/app:1", app)
        .replace("8080:80 nginx", port + ":80 " + app)
        .replace("/etc/cdi/vendor.yaml", directory + "/vendor.yaml")
        .replace("/var/run/cdi", directory + "/cdi")
        .replace(" app.tar", " " + Daemon.bundledArchive())
        .replace(" data.tar", " " + directory + "/data.tar")
        .split(" ");
  }

  @Test
  void aTerminalShowsThePromptAndFollowsTheWindow() throws IOException {
    try (Tmux terminal = Tmux.open(daemon, 100, 30)) {
      terminal.type("jrt run -it --rm --name shell " + IMAGE + " sh");
      terminal.await("/ #");
      terminal.type("stty size");
      terminal.await("30 100");
      terminal.resize(80, 20);
      // The new size travels beside the keys, and may come after them.
      terminal.typeUntil("stty size", "20 80");
      terminal.type("vi /etc/passwd");
      terminal.await("/etc/passwd 1/");
      terminal.resize(90, 26);
      terminal.await("a status line at the bottom", screen -> screen.lines().count() == 26);
      terminal.type(":q");
      terminal.type("top");
      terminal.await("Load average");
      terminal.keys("q");
      terminal.type("clear; sleep 1000");
      terminal.keys("C-c");
      terminal.type("echo code-$?");
      terminal.await("code-130");
      terminal.type("exit 7");
      terminal.awaitPrompt();
      terminal.type("echo code-$?");
      terminal.await("code-7");
      terminal.type("stty -a");
      terminal.await(" echo ");
    }
  }

  @Test
  void whoLeavesATerminalCanComeBack() throws Exception {
    try (Tmux terminal = Tmux.open(daemon, 80, 24)) {
      terminal.type("jrt run -it --rm --name shell " + IMAGE + " sh");
      terminal.await("/ #");
      terminal.keys("C-p", "C-q");
      terminal.await("left shell running");
      assertThat(daemon.jrt("ps", "--format", "{name} {state}").ok()).isEqualTo("shell running\n");
      terminal.type("clear; jrt attach shell");
      Daemon.sleep(1000);
      terminal.keys("Enter");
      terminal.await("/ #");
      terminal.type("echo b''ack");
      terminal.await("back");
      terminal.type("exit 5");
      terminal.awaitPrompt();
      terminal.type("echo code-$?");
      terminal.await("code-5");
    }
  }

  @Test
  void aCommandOfARunningContainerGetsATerminal() throws Exception {
    daemon.jrt("run", "-d", "--name", "web", IMAGE, "sleep", "1000").ok();
    try (Tmux terminal = Tmux.open(daemon, 90, 25)) {
      terminal.type("jrt exec -it web sh");
      terminal.await("/ #");
      terminal.type("stty size; exit 3");
      terminal.await("25 90");
      terminal.awaitPrompt();
      terminal.type("echo code-$?");
      terminal.await("code-3");
    }
  }

  @Test
  void controlCEndsARunInTheForeground() throws Exception {
    try (Tmux terminal = Tmux.open(daemon, 90, 25)) {
      terminal.type(
          "jrt run --rm --name web "
              + IMAGE
              + " sh -c 'trap \"exit 0\" TERM; echo"
              + " r''uns; while :; do sleep 0.1; done'");
      terminal.await("runs");
      terminal.keys("C-c");
      terminal.type("echo e''nded");
      terminal.await("ended");
    }
    assertThat(daemon.jrt("ps", "-q").ok()).isEmpty();
  }

  @Test
  void eventsAreFollowedUntilControlC() throws Exception {
    daemon.jrt("run", "-d", "--name", "web", IMAGE, "sleep", "1000").ok();
    try (Tmux terminal = Tmux.open(daemon, 120, 25)) {
      terminal.type("jrt events --since 10m --filter event=ContainerExited");
      daemon.jrt("kill", "web").ok();
      terminal.await(
          "ContainerExited by name",
          s -> s.lines().skip(1).anyMatch(l -> l.contains("ContainerExited")));
      terminal.keys("C-c");
      terminal.awaitPrompt();
    }
  }

  @Test
  void specsOfGpusComeAndGoWithThem() throws IOException {
    Path vendor = directory.resolve("node/sys/class/drm/renderD128/device/vendor");
    Path node = directory.resolve("node/dev/dri/renderD128");
    Path spec = directory.resolve("watched/intel.com-gpu.json");
    try (Tmux terminal = Tmux.open(daemon, 150, 25)) {
      terminal.type("jrt cdi generate --watch " + spec.getParent());
      Files.createDirectories(node.getParent());
      Files.createFile(node);
      Files.createDirectories(vendor.getParent());
      Files.writeString(vendor, "0x8086\n");
      terminal.await("intel.com-gpu.json");
      assertThat(Files.readString(spec)).contains(node.toString());
      Files.delete(node);
      terminal.await("no such device is there any more");
      assertThat(spec).doesNotExist();
      terminal.keys("C-c");
      terminal.awaitPrompt();
    }
  }

  @Test
  void outputIsTheContainersByteForByteAndTheExitCodeToo() throws Exception {
    Daemon.Result result =
        daemon.jrt("run", "--rm", IMAGE, "sh", "-c", "printf out; printf err >&2; exit 9");
    assertThat(result).isEqualTo(new Daemon.Result(9, "out", "err"));
    assertThat(daemon.jrt("run", "--rm", IMAGE, "/no/such").code()).isEqualTo(127);
    assertThat(daemon.jrt("run", "--rm", IMAGE, "/etc/passwd").code()).isEqualTo(126);
  }

  @Test
  void inputGoesThroughRunAndExec() throws Exception {
    byte[] bytes = new byte[20 << 20];
    new Random(1).nextBytes(bytes);
    String sum = TestImage.digest(bytes).substring("sha256:".length());
    try (InputStream input = new ByteArrayInputStream(bytes)) {
      assertThat(daemon.jrt(input, "run", "-i", "--rm", IMAGE, "sha256sum").ok()).contains(sum);
    }
    daemon.jrt("run", "-d", "--name", "web", IMAGE, "sleep", "1000").ok();
    try (InputStream input = new ByteArrayInputStream(bytes)) {
      assertThat(daemon.jrt(input, "exec", "-i", "web", "sha256sum").ok()).contains(sum);
    }
  }

  @Test
  void namedVolumesKeepTheirFilesAndTravelAsTar() throws Exception {
    daemon.jrt("run", "--rm", "-v", "one:/d", IMAGE, "sh", "-c", "echo kept >/d/file").ok();
    daemon.jrt("volume", "create", "two", "-l", "made=here").ok();
    Path archive = directory.resolve("one.tar");
    daemon.jrt("volume", "export", "one", "--to", archive.toString()).ok();
    daemon.jrt("volume", "import", "two", archive.toString()).ok();
    daemon.jrt("run", "-d", "--name", "user", "-v", "two:/d:ro", IMAGE, "sleep", "1000").ok();
    assertThat(daemon.jrt("exec", "user", "cat", "/d/file").ok()).isEqualTo("kept\n");
    Daemon.Result refused = daemon.jrt("volume", "rm", "two");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(daemon.jrt("volume", "ls", "--format", "{name} {containers}").ok())
        .contains("one 0\n")
        .contains("two 1\n");
    daemon.kill();
    daemon.restart();
    assertThat(daemon.jrt("volume", "ls", "--format", "{name} {containers}").ok())
        .contains("two 1\n");
    daemon.jrt("rm", "-f", "user").ok();
    assertThat(daemon.jrt("volume", "prune").ok()).contains("volume one").contains("volume two");
  }

  @Test
  void aForwardedPortAnswers() throws Exception {
    daemon
        .jrt(
            "run",
            "-d",
            "--name",
            "web",
            IMAGE,
            "sh",
            "-c",
            "mkdir /w; echo page >/w/index.html; exec httpd -f -p 127.0.0.1:80 -h /w")
        .ok();
    try (Tmux terminal = Tmux.open(daemon, 90, 25)) {
      terminal.type("jrt port-forward web :80");
      String screen = terminal.await(" to 80");
      String address = screen.replaceFirst("(?s).*forwarding (\\S+) to 80.*", "$1");
      URLConnection page = URI.create("http://" + address + "/").toURL().openConnection();
      page.setReadTimeout(30_000);
      try (InputStream body = page.getInputStream()) {
        assertThat(new String(body.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("page\n");
      }
      terminal.keys("C-c");
      terminal.awaitPrompt();
    }
  }

  @Test
  void badInputGetsOneSentence() throws Exception {
    List<List<String>> lines =
        List.of(
            List.of("ruin"),
            List.of("volum", "ls"),
            List.of("volume"),
            List.of("run"),
            List.of("run", "--nmae", "x", IMAGE),
            List.of("run", "-v", "x", IMAGE),
            List.of("run", "-v", "../../etc:/d:ro,bad", IMAGE),
            List.of("run", "-v", "na/me:/d", IMAGE),
            List.of("run", "-p", "99999:1", IMAGE),
            List.of("run", "-m", "-5", IMAGE),
            List.of("run", "--name", "\u001b[31m", IMAGE),
            List.of("run", "--name", "a/../b", IMAGE),
            List.of("run", "-it", IMAGE),
            List.of("run", "--pull", "never", "localhost/none:1"),
            List.of("run", "UPPER//case"),
            List.of("exec", "nobody", "ls"),
            List.of("logs", "nobody"),
            List.of("attach", ""),
            List.of("inspect", "nobody"),
            List.of("stop", "nobody"),
            List.of("kill", "nobody"),
            List.of("rmi", "localhost/none:1"),
            List.of("port-forward", "nobody", "80"),
            List.of("volume", "create", "../x"),
            List.of("volume", "rm", "none"),
            List.of("volume", "import", "none", "/etc/passwd"),
            List.of("config", "check", "/nonexistent"),
            List.of("ps", "--format", "{nonsense}"),
            List.of("ps", "-o", "xml"),
            List.of("--timeout", "soon", "ps"),
            List.of("--socket", "/nonexistent/jrt.sock", "ps"));
    for (List<String> line : lines) {
      Daemon.Result result = daemon.jrt(line.toArray(String[]::new));
      assertThat(result.code()).as("%s", line).isBetween(1, 125);
      assertThat(result.err()).as("%s", line).startsWith("jrt").contains(": ");
      assertThat(result.err().strip().lines().count()).as("%s: %s", line, result.err()).isOne();
      assertThat(result.err()).as("%s", line).doesNotContain("Exception").doesNotContain("\u001b");
    }
  }

  @Test
  void documentsForProgramsAreDocuments() throws Exception {
    daemon.jrt("run", "-d", "--name", "web", IMAGE, "sleep", "1000").ok();
    for (String command :
        List.of("ps", "pods", "images", "info", "ops", "pulls", "volume ls", "doctor")) {
      List<String> words = new ArrayList<>(List.of("-o", "json"));
      words.addAll(List.of(command.split(" ")));
      String json = daemon.jrt(words.toArray(String[]::new)).out();
      assertThat(json).as(command).startsWith("{").endsWith("}\n");
    }
    String id = daemon.jrt("ps", "-q").ok().strip();
    assertThat(daemon.jrt("exec", id.substring(0, 5), "echo", "x").ok()).isEqualTo("x\n");
    String who = "id -u; id -g; pwd; echo $A";
    String[] asOther = {"exec", "-u", "12:34", "-w", "/tmp", "-e", "A=b c", id, "sh", "-c", who};
    assertThat(daemon.jrt(asOther).ok()).isEqualTo("12\n34\n/tmp\nb c\n");
    assertThat(daemon.jrt("exec", "-u", "nobody-here", id, "id").err())
        .contains("user \"nobody-here\" is not in the container's passwd");
    assertThat(Files.exists(directory)).isTrue();
  }
}
