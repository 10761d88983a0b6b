package io.jrt.network.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.network.AttachRequest;
import io.jrt.network.BridgeConfig;
import io.jrt.network.CniConfig;
import io.jrt.network.DnsConfig;
import io.jrt.network.GroupsConfig;
import io.jrt.network.HostNamespace;
import io.jrt.network.Lab;
import io.jrt.network.NetworkConfig;
import io.jrt.network.PodRef;
import io.jrt.network.spi.NetworkContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The daemon dies while a plugin works, which goes on without it. */
class CniCrashIT {
  /** A daemon that attaches one pod. */
  public static void main(String[] arguments) {
    Path directory = Path.of(arguments[0]);
    Kernel kernel = Kernel.open();
    Fd host = kernel.namespaces().open(directory.resolve("host.netns"));
    provider(kernel, directory, HostNamespace.of(kernel, host)).attach(request(directory));
  }

  private static CniNetworkProvider provider(Kernel kernel, Path directory, HostNamespace host) {
    CniConfig cni =
        new CniConfig(
            List.of(directory.resolve("net.d")),
            List.of(directory.resolve("bin")),
            directory.resolve("cache"),
            Duration.ofSeconds(30));
    return new CniNetworkProvider(
        new NetworkContext(
            kernel,
            "t1",
            directory.resolve("root"),
            directory.resolve("state"),
            new NetworkConfig("cni", BridgeConfig.DEFAULT, cni, GroupsConfig.DEFAULT, Map.of())),
        host);
  }

  private static AttachRequest request(Path directory) {
    return new AttachRequest(
        new PodRef("abc123", "web", "shop", "uid-1"),
        directory.resolve("pod.netns"),
        Map.of(),
        Map.of(),
        List.of(),
        DnsConfig.NONE,
        "");
  }

  /**
   * @param seconds that ADD takes
   */
  @ParameterizedTest
  @CsvSource({"1", "300"})
  void whatAPluginMakesAfterTheDaemonsDeathIsUndoneToo(int seconds) throws Exception {
    try (Lab lab = new Lab()) {
      lab.netns("pod");
      Path began = lab.directory().resolve("began");
      Path address = lab.directory().resolve("address");
      Path plugin = Files.createDirectories(lab.directory().resolve("bin")).resolve("slow");
      Files.writeString(
          plugin,
          """
          #!/bin/sh
          case $CNI_COMMAND in
          ADD) : > %s; sleep %d; : > %s
            echo '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"x"}],\
          "ips":[{"address":"10.1.2.3/24","interface":0}]}';;
          DEL) rm -f %s;;
          esac
          """
              .formatted(began, seconds, address, address));
      Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.writeString(
          Files.createDirectories(lab.directory().resolve("net.d")).resolve("1.conflist"),
          """
          {"cniVersion":"1.0.0","name":"net","plugins":[{"type":"slow"}]}
          """);
      Process daemon =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin/java").toString(),
                  "--enable-native-access=ALL-UNNAMED",
                  "-Djnr.ffi.x86asm.enabled=false",
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty(
                      "surefire.test.class.path", System.getProperty("java.class.path")),
                  CniCrashIT.class.getName(),
                  lab.directory().toString())
              .inheritIO()
              .start();
      while (!Files.exists(began)) {
        assertThat(daemon.isAlive()).isTrue();
        Thread.sleep(5);
      }
      daemon.destroyForcibly().waitFor();
      CniNetworkProvider next = provider(lab.kernel(), lab.directory(), lab.hostNamespace());
      next.gc(Set.of());
      assertThat(address).doesNotExist();
      assertThat(lab.directory().resolve("state/cni-plugins")).isEmptyDirectory();
      assertThat(lab.directory().resolve("root/cni")).isEmptyDirectory();
      assertThat(
              ProcessHandle.allProcesses()
                  .map(process -> process.info().commandLine().orElse(""))
                  .filter(command -> command.contains(plugin.toString())))
          .as("plugins that still run")
          .isEmpty();
      next.close();
    }
  }
}
