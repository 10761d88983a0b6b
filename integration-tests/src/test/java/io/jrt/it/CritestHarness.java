package io.jrt.it;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The public CRI validation suite against a daemon of its own: {@code CritestHarness CRITEST
 * [ARGUMENT…]} starts a registry with {@link CritestImages}, a daemon that takes the suite's
 * registries from it, and the given critest binary with the remaining arguments. Ends with
 * critest's status, or with 1 if something was left on the machine.
 *
 * <p>{@code -Dcritest.network=cni} has the pods connected by CNI plug-ins, {@code node} by the
 * machine's own CNI configuration, {@code -Dcritest.cni-bin=DIR} says where plug-ins are, {@code
 * -Dcritest.report=DIR} where the suite's report and the daemon's log go.
 */
final class CritestHarness {
  private static final List<String> REGISTRIES = List.of("registry.k8s.io", "k8s.gcr.io", "gcr.io");

  private static final String BRIDGE = "critest";

  private CritestHarness() {}

  public static void main(String[] arguments) throws Exception {
    // An interrupted run is to clean up as well: the hook waits until that is done.
    Thread self = Thread.currentThread();
    CountDownLatch done = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupt(self, done)));
    Path directory =
        Files.createTempDirectory("jrt-critest-" + ProcessHandle.current().pid() + "-");
    Path report =
        Files.createDirectories(
            Path.of(System.getProperty("critest.report", "target/critest")).toAbsolutePath());
    int status;
    try (LocalRegistry registry = LocalRegistry.start(directory)) {
      for (Map.Entry<String, TestImage> image : CritestImages.all().entrySet()) {
        int colon = image.getKey().lastIndexOf(':');
        String repository = image.getKey().substring(0, colon);
        registry.push(repository, image.getKey().substring(colon + 1), image.getValue());
        if (repository.endsWith("test-image-digest")) {
          System.out.println("critest: " + repository + "@" + image.getValue().digest());
        }
      }
      // The bridge plug-in leaves its bridge behind: this one is there before and goes afterwards.
      String bridge = BRIDGE + ProcessHandle.current().pid();
      boolean cni = System.getProperty("critest.network", "bridge").equals("cni");
      if (cni) {
        removeBridgesOfKilledRuns();
        run("ip", "link", "add", bridge, "type", "bridge");
      }
      try (Daemon daemon = Daemon.start(config(directory, registry, cni ? bridge : ""))) {
        try {
          status = critest(daemon, nriSocket(directory), report, List.of(arguments));
        } finally {
          Files.copy(daemon.log(), report.resolve("jrtd.log"), StandardCopyOption.REPLACE_EXISTING);
        }
      } finally {
        if (cni) {
          run("ip", "link", "delete", bridge);
        }
      }
    } finally {
      run("rm", "-rf", "--one-file-system", directory.toString());
      done.countDown();
    }
    System.exit(status);
  }

  /** A run that was killed could not take its bridge away, and its addresses are in the way. */
  private static void removeBridgesOfKilledRuns() throws IOException, InterruptedException {
    try (DirectoryStream<Path> bridges =
        Files.newDirectoryStream(Path.of("/sys/class/net"), BRIDGE + "[0-9]*")) {
      for (Path bridge : bridges) {
        String name = bridge.getFileName().toString();
        long pid = Long.parseLong(name.substring(BRIDGE.length()));
        if (ProcessHandle.of(pid).isEmpty()) {
          run("ip", "link", "delete", name);
        }
      }
    }
  }

  private static Path nriSocket(Path directory) {
    return directory.resolve("nri/nri.sock");
  }

  private static int critest(Daemon daemon, Path nri, Path report, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(arguments.getFirst());
    command.add("--runtime-endpoint=unix://" + daemon.socket());
    command.add("--image-endpoint=unix://" + daemon.socket());
    command.add("--nri-socket=" + nri);
    command.add("--report-dir=" + report);
    // Tells of each spec what came of it, and of a skipped one why.
    command.add("--ginkgo.junit-report=" + report.resolve("junit.xml"));
    command.addAll(arguments.subList(1, arguments.size()));
    Process critest = new ProcessBuilder(command).inheritIO().start();
    try {
      return critest.waitFor();
    } finally {
      critest.destroy();
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (status != 0) {
      throw new IOException(String.join(" ", command) + " ended with " + status);
    }
  }

  /** The daemon's configuration, with what it refers to written below the directory. */
  private static String config(Path directory, LocalRegistry registry, String cniBridge)
      throws IOException {
    StringBuilder mirrors = new StringBuilder("mirrors:\n");
    for (String name : REGISTRIES) {
      mirrors.append("  %s:\n    endpoint: [\"http://%s\"]\n".formatted(name, registry.address()));
    }
    Path registries = Files.writeString(directory.resolve("registries.yaml"), mirrors);
    String config =
        """
        [images]
        registries-yaml = "%s"
        [nri]
        socket = "%s"
        """
            .formatted(registries, nriSocket(directory));
    if (System.getProperty("critest.network", "bridge").equals("node")) {
      return config
          + """
          [network]
          provider = "cni"
          """;
    }
    if (cniBridge.isEmpty()) {
      // Not the default range: another daemon of the machine may have that.
      return config
          + """
          [network.bridge]
          subnets = ["10.212.0.0/16", "fd00:6a72:d400::/64"]
          """;
    }
    Path plugins = Files.createDirectories(directory.resolve("net.d"));
    Files.writeString(plugins.resolve("10-critest.conflist"), conflist(directory, cniBridge));
    return config
        + """
        [network]
        provider = "cni"
        [network.cni]
        conf-dirs = ["%s"]
        bin-dirs = ["%s"]
        cache-dir = "%s"
        """
            .formatted(
                plugins,
                System.getProperty("critest.cni-bin", "/usr/lib/cni"),
                directory.resolve("cni-cache"));
  }

  private static String conflist(Path directory, String bridge) {
    return """
    {
      "cniVersion": "1.0.0",
      "name": "critest",
      "plugins": [
        {
          "type": "bridge",
          "bridge": "%s",
          "isGateway": true,
          "ipMasq": true,
          "hairpinMode": true,
          "ipam": {
            "type": "host-local",
            "dataDir": "%s",
            "ranges": [[{"subnet": "10.211.0.0/16"}]],
            "routes": [{"dst": "0.0.0.0/0"}]
          }
        },
        {"type": "portmap", "capabilities": {"portMappings": true}}
      ]
    }
    """
        .formatted(bridge, directory.resolve("ipam"));
  }

  private static void interrupt(Thread run, CountDownLatch done) {
    if (done.getCount() > 0) {
      run.interrupt();
    }
    try {
      if (!done.await(1, TimeUnit.MINUTES)) {
        System.err.println("critest: cleaning up takes too long");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
