package io.jrt.network.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.network.AttachRequest;
import io.jrt.network.Attachment;
import io.jrt.network.BridgeConfig;
import io.jrt.network.CniConfig;
import io.jrt.network.DnsConfig;
import io.jrt.network.GroupsConfig;
import io.jrt.network.Lab;
import io.jrt.network.NetworkConfig;
import io.jrt.network.PodRef;
import io.jrt.network.PortMapping;
import io.jrt.network.spi.NetworkContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Plugins that hang, die, lie or babble are named, leave nothing, and harm no other pod. */
class CniFaultsIT {
  private static final String GOOD =
      """
      echo "$CNI_COMMAND $CNI_CONTAINERID netns=$CNI_NETNS if=$CNI_IFNAME args=$CNI_ARGS" >> LOG
      cat >> LOG; echo >> LOG
      case $CNI_COMMAND in
      VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0","1.1.0"]}';;
      ADD) echo '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"0a:00:00:00:00:01",'\
      '"sandbox":"'$CNI_NETNS'"}],"ips":[{"address":"10.9.0.5/24","interface":0}]}';;
      esac
      """;

  private Lab lab;
  private CniNetworkProvider provider;
  private Path conf;
  private Path bin;
  private Path log;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab();
    conf = lab.directory().resolve("net.d");
    bin = Files.createDirectories(lab.directory().resolve("bin"));
    log = lab.directory().resolve("log");
    provider = provider();
  }

  private CniNetworkProvider provider() {
    CniConfig cni =
        new CniConfig(
            List.of(lab.directory().resolve("nowhere"), conf),
            List.of(bin),
            lab.directory().resolve("cache"),
            Duration.ofSeconds(1));
    return new CniNetworkProvider(
        new NetworkContext(
            lab.kernel(),
            "t1",
            lab.directory().resolve("root"),
            lab.directory().resolve("state"),
            new NetworkConfig("cni", BridgeConfig.DEFAULT, cni, GroupsConfig.DEFAULT, Map.of())),
        lab.hostNamespace());
  }

  @AfterEach
  void close() throws IOException {
    lab.close();
  }

  private void plugin(String name, String script) throws IOException {
    Path file = bin.resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + script.replace("LOG", log.toString()));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private void network(String version, String... plugins) throws IOException {
    Files.createDirectories(conf);
    Files.writeString(
        conf.resolve("10-net.conflist"),
        "{\"cniVersion\":\"%s\",\"name\":\"net\",\"plugins\":[%s]}"
            .formatted(version, String.join(",", plugins)));
  }

  private static String plain(String type) {
    return "{\"type\":\"" + type + "\"}";
  }

  private AttachRequest request() {
    return request("abc123", 8080);
  }

  private AttachRequest request(String sandbox, int port) {
    return new AttachRequest(
        new PodRef(sandbox, "web", "shop", "uid-1"),
        lab.netns("pod-" + sandbox),
        Map.of(),
        Map.of("kubernetes.io/egress-bandwidth", "10M"),
        List.of(new PortMapping(PortMapping.Protocol.TCP, 80, port, "")),
        new DnsConfig(List.of("10.0.0.10"), List.of(), List.of()),
        "kubepods/pod1");
  }

  private String log() throws IOException {
    return Files.exists(log) ? Files.readString(log) : "";
  }

  private void assertNothingLeft() throws IOException {
    for (String directory : List.of("root/cni", "cache/results")) {
      Path path = lab.directory().resolve(directory);
      assertThat(Files.exists(path) ? List.of(path.toFile().list()) : List.of()).isEmpty();
    }
  }

  @Test
  void networkThatAppearsLaterMakesTheNodeReady() throws Exception {
    assertThat(provider.status().ready()).isFalse();
    assertThat(provider.status().reason()).isEqualTo("NetworkPluginNotReady");
    assertThat(provider.status().message()).contains("no network configuration in");
    assertThatThrownBy(() -> provider.attach(request()))
        .hasMessageContaining("no network configuration in");
    plugin("good", GOOD);
    network("1.0.0", plain("good"));
    assertThat(provider.status().ready()).isTrue();
    Files.writeString(conf.resolve("10-net.conflist"), "{\"cniVersion\":\"1.0");
    assertThat(provider.status().ready()).as("half-written file").isTrue();
    Files.delete(conf.resolve("10-net.conflist"));
    assertThat(provider.status().ready()).isFalse();
  }

  @Test
  void statusNamesAMissingPlugin() throws Exception {
    network("1.0.0", plain("absent"));
    assertThat(provider.status().message()).contains("cni plugin absent is not in any of");
  }

  @Test
  void statusNamesAPluginThatDoesNotSpeakTheVersion() throws Exception {
    plugin("old", "echo '{\"cniVersion\":\"0.4.0\",\"supportedVersions\":[\"0.4.0\"]}'");
    network("1.0.0", plain("old"));
    assertThat(provider.status().message())
        .isEqualTo("cni plugin old supports versions [0.4.0], network net needs 1.0.0");
  }

  @Test
  void pluginsAreToldWhatTheSpecificationSays() throws Exception {
    plugin("good", GOOD);
    network(
        "1.0.0",
        """
        {"type":"good","capabilities":{"portMappings":true,"bandwidth":true,"dns":true,
        "cgroupPath":true,"mac":true}}\
        """,
        plain("good"));
    AttachRequest request = request();
    assertThat(provider.attach(request).ips()).containsExactly("10.9.0.5");
    provider.check(request);
    lab.removeNetns(request.netns());
    provider.detach(request.pod());
    String said = log();
    assertThat(said)
        .contains(
            "ADD abc123 netns=" + request.netns() + " if=eth0 args=IgnoreUnknown=1;",
            "K8S_POD_NAME=web;K8S_POD_NAMESPACE=shop;K8S_POD_UID=uid-1",
            "K8S_POD_INFRA_CONTAINER_ID=abc123",
            "\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"",
            "\"egressRate\":10000000",
            "\"servers\":[\"10.0.0.10\"]",
            "\"cgroupPath\":\"kubepods/pod1\"",
            "\"prevResult\":{",
            "CHECK abc123",
            "DEL abc123 netns= if=eth0")
        .doesNotContain("\"capabilities\"", "\"mac\":true");
    assertNothingLeft();
  }

  @Test
  void hangingPluginIsKilledWithItsChildrenAndNamed() throws Exception {
    plugin("hang", "case $CNI_COMMAND in ADD) sleep 300 & echo $! > LOG; wait;; esac");
    network("1.0.0", plain("hang"));
    assertThatThrownBy(() -> provider.attach(request()))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEADLINE))
        .hasMessage(
            "pod shop/web (abc123): cni plugin hang (ADD) did not end within 1000 ms and was"
                + " killed");
    Path child = Path.of("/proc", log().strip());
    for (int i = 0; i < 100 && runs(child); i++) {
      Thread.sleep(10);
    }
    assertThat(runs(child)).isFalse();
    assertNothingLeft();
  }

  @Test
  void whatThePluginsOfManyPodsShareIsMadeByOneOfThem() throws Exception {
    // As portmap does with its chains.
    String share =
        """
        if [ $CNI_COMMAND = ADD ] && [ ! -e LOG.chain ]; then
          sleep 0.2
          mkdir LOG.chain || { echo '{"cniVersion":"1.0.0","code":999,"msg":"chain exists"}'; exit 1; }
        fi
        """;
    plugin("sharing", share + GOOD);
    network("1.0.0", plain("sharing"));
    List<AttachRequest> requests = new ArrayList<>();
    List<FutureTask<Attachment>> attachments = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      AttachRequest request = request("abc" + i, 8080 + i);
      requests.add(request);
      attachments.add(new FutureTask<>(() -> provider.attach(request)));
    }
    attachments.forEach(Thread::startVirtualThread);
    for (FutureTask<Attachment> attachment : attachments) {
      assertThat(attachment.get().ips()).isNotEmpty();
    }
    requests.forEach(request -> provider.detach(request.pod()));
    assertNothingLeft();
  }

  @Test
  void whereTheFirstFailsTheNextIsTried() throws Exception {
    plugin(
        "late",
        "[ $CNI_COMMAND != ADD ] || [ -e LOG.up ] || { touch LOG.up; sleep 300; }\n" + GOOD);
    network("1.0.0", plain("late"));
    AttachRequest request = request();
    assertThatThrownBy(() -> provider.attach(request)).hasMessageContaining("was killed");
    assertThat(provider.attach(request).ips()).isNotEmpty();
    provider.detach(request.pod());
    assertNothingLeft();
  }

  /** A zombie that nobody has waited for no longer runs. */
  private static boolean runs(Path process) throws IOException {
    try {
      return !Files.readString(process.resolve("stat")).contains(") Z ");
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  @Test
  void failureOfOnePluginUndoesTheOthersAndKeepsItsWords() throws Exception {
    plugin("good", GOOD);
    plugin(
        "bad",
        """
        if [ $CNI_COMMAND = ADD ]; then
        echo '{"cniVersion":"1.0.0","code":11,"msg":"no subnet yet","details":"try later"}'
        exit 1; fi
        """);
    network("1.0.0", plain("good"), plain("bad"));
    assertThatThrownBy(() -> provider.attach(request()))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAVAILABLE))
        .hasMessage(
            "pod shop/web (abc123): cni plugin bad (ADD): no subnet yet: try later (code 11)");
    assertThat(log()).contains("DEL abc123");
    assertNothingLeft();
  }

  @Test
  void deadGarbledAndLyingPluginsAreNamed() throws Exception {
    AttachRequest request = request();
    network("1.0.0", plain("p"));
    plugin("p", "[ $CNI_COMMAND = ADD ] && kill -SEGV $$; exit 0");
    assertThatThrownBy(() -> provider.attach(request))
        .hasMessageContaining("cni plugin p (ADD) was killed by");
    plugin("p", "[ $CNI_COMMAND = ADD ] && echo 'it works!'; exit 0");
    assertThatThrownBy(() -> provider.attach(request))
        .hasMessageContaining("cni plugin p (ADD) answered no JSON: \"it works!\"");
    plugin("p", "[ $CNI_COMMAND = ADD ] && echo '{\"cniVersion\":\"9.9.9\"}'; exit 0");
    assertThatThrownBy(() -> provider.attach(request))
        .hasMessageContaining("cni plugin p (ADD) answered in version \"9.9.9\"");
    plugin("p", "[ $CNI_COMMAND = ADD ] && exec yes; exit 0");
    assertThatThrownBy(() -> provider.attach(request))
        .hasMessageContaining("cni plugin p (ADD) wrote without end and was killed");
    plugin("p", "[ $CNI_COMMAND = ADD ] && { echo boom >&2; exit 3; }; exit 0");
    assertThatThrownBy(() -> provider.attach(request))
        .hasMessageContaining("cni plugin p (ADD) failed with exit code 3: boom");
    plugin("p", "[ $CNI_COMMAND = ADD ] && echo '{\"cniVersion\":\"1.0.0\"}'; exit 0");
    assertThatThrownBy(() -> provider.attach(request))
        .hasMessageContaining("gave pod shop/web (abc123) no address on eth0");
    assertNothingLeft();
  }

  @Test
  void failedDelIsRememberedAcrossARestartAndDoneByGc() throws Exception {
    plugin("good", GOOD);
    network("1.1.0", plain("good"));
    AttachRequest request = request();
    provider.attach(request);
    plugin("good", "[ $CNI_COMMAND = DEL ] && exit 1; exit 0");
    assertThatThrownBy(() -> provider.detach(request.pod()))
        .hasMessageContaining("cni plugin good (DEL) failed with exit code 1");
    plugin("good", GOOD);
    CniNetworkProvider next = provider();
    next.gc(Set.of());
    assertThat(log()).contains("DEL abc123", "GC  netns=", "\"cni.dev/valid-attachments\":[]");
    assertNothingLeft();
  }

  @Test
  void pluginsInheritNoDescriptorAndLittleEnvironment() throws Exception {
    plugin(
        "good",
        GOOD + "[ $CNI_COMMAND = ADD ] && { ls /proc/self/fd | wc -l; env | cut -d= -f1; } >> LOG");
    network("1.0.0", plain("good"));
    provider.attach(request());
    // 0, 1, 2 and the one with which ls reads the directory
    assertThat(log().lines()).contains("4", "CNI_PATH", "PATH").doesNotContain("JAVA_HOME", "HOME");
  }
}
