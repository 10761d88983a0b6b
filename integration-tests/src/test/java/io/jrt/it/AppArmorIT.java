package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerFilter;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerSecurityContext;
import io.jrt.cri.v1.LinuxSandboxSecurityContext;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.NamespaceOption;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.SecurityProfile;
import io.jrt.cri.v1.SecurityProfile.ProfileType;
import io.jrt.cri.v1.StatusRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * AppArmor as the kernel enforces it. Most machines that build have none, the guest of {@code
 * SECURITY=apparmor make test-v2} does.
 */
class AppArmorIT {
  private static final Path PROFILES = Path.of("/sys/kernel/security/apparmor/profiles");
  private static final String OWN = "jrt-it-" + ProcessHandle.current().pid();

  /** Everything is allowed but two files. */
  private static final String PROFILE =
      """
      profile %s flags=(attach_disconnected,mediate_deleted) {
        capability,
        file,
        network,
        mount,
        umount,
        signal,
        ptrace,
        unix,
        deny /etc/passwd rwklx,
        deny /tmp/** w,
      }
      """
          .formatted(OWN);

  private static Daemon daemon;
  private static Cri cri;
  private static String image;
  private PodSandboxConfig podConfig;
  private String pod;

  @BeforeAll
  static void start() throws Exception {
    assumeTrue(Files.isReadable(PROFILES), "no AppArmor in this kernel, or no securityfs");
    assumeTrue(Files.isExecutable(Path.of("/usr/sbin/apparmor_parser")), "no apparmor_parser");
    parser("-r", PROFILE);
    daemon = Daemon.start();
    cri = daemon.cri();
    image = daemon.bundledImage();
  }

  @AfterAll
  static void stop() throws Exception {
    if (daemon != null) {
      daemon.close();
      parser("-R", PROFILE);
    }
  }

  private static void parser(String option, String profile) throws Exception {
    Process parser =
        new ProcessBuilder("/usr/sbin/apparmor_parser", "-K", option)
            .inheritIO()
            .redirectInput(ProcessBuilder.Redirect.PIPE)
            .start();
    try (OutputStream in = parser.getOutputStream()) {
      in.write(profile.getBytes(StandardCharsets.UTF_8));
    }
    assertThat(parser.waitFor()).isZero();
  }

  @BeforeEach
  void pod() {
    PodSandboxConfig.Builder config =
        Cri.pod("apparmor", NamespaceMode.NODE, daemon.home().resolve("logs"));
    config
        .getLinuxBuilder()
        .setSecurityContext(
            LinuxSandboxSecurityContext.newBuilder()
                .setPrivileged(true)
                .setNamespaceOptions(
                    NamespaceOption.newBuilder()
                        .setNetwork(NamespaceMode.NODE)
                        .setPid(NamespaceMode.CONTAINER)));
    podConfig = config.build();
    pod = cri.runPod(podConfig);
  }

  @AfterEach
  void removePod() {
    cri.removePod(pod);
  }

  private static LinuxContainerSecurityContext.Builder localhost(String name) {
    return LinuxContainerSecurityContext.newBuilder()
        .setApparmor(
            SecurityProfile.newBuilder()
                .setProfileType(ProfileType.Localhost)
                .setLocalhostRef(name));
  }

  private static LinuxContainerSecurityContext.Builder type(ProfileType type) {
    return LinuxContainerSecurityContext.newBuilder()
        .setApparmor(SecurityProfile.newBuilder().setProfileType(type));
  }

  private static ContainerConfig config(
      String name, LinuxContainerSecurityContext.Builder security, String... command) {
    return Cri.container(name, image, command)
        .setLinux(
            LinuxContainerConfig.newBuilder()
                .setSecurityContext(
                    security.setNamespaceOptions(
                        NamespaceOption.newBuilder()
                            .setNetwork(NamespaceMode.NODE)
                            .setPid(NamespaceMode.CONTAINER))))
        .build();
  }

  /** A container that stays, with a shell to try things in. */
  private String sleeper(String name, LinuxContainerSecurityContext.Builder security) {
    return cri.run(pod, podConfig, config(name, security, "sleep", "1000"));
  }

  private static String shell(String container, String script) {
    var result = cri.exec(container, "sh", "-c", "exec 2>&1; " + script);
    return result.getStdout().toStringUtf8().strip();
  }

  /** What the first process and a command run under. */
  private static void assertProfile(String container, String profile) {
    assertThat(shell(container, "cat /proc/1/attr/current")).as("first process").isEqualTo(profile);
    assertThat(shell(container, "cat /proc/self/attr/current")).as("command").isEqualTo(profile);
  }

  @Test
  void containersAreUnderTheDefaultProfileAndItHolds() throws IOException {
    var everything = LinuxContainerSecurityContext.newBuilder();
    everything.getCapabilitiesBuilder().addAddCapabilities("ALL");
    String container = sleeper("default", everything);
    assertProfile(container, "jrt-default (enforce)");
    assertThat(Files.readAllLines(PROFILES)).contains("jrt-default (enforce)");

    // With every capability and no other hindrance: it is the profile that denies.
    String mount = "mount -t tmpfs tmpfs /mnt";
    assertThat(shell(container, "mkdir -p /mnt; " + mount)).contains("denied");
    assertThat(shell(container, "echo h >/proc/sysrq-trigger")).contains("denied");
    assertThat(shell(container, "cat /proc/kcore | head -c 1")).contains("denied");
    assertThat(shell(container, "echo x >/proc/sys/kernel/core_pattern")).contains("denied");
    assertThat(shell(container, "echo mine >/tmp/file && cat /tmp/file /etc/hostname"))
        .startsWith("mine");
    // A process of its own is one thing, one that no profile holds another.
    assertThat(shell(container, "sleep 100 & kill $! && echo signalled")).isEqualTo("signalled");

    String free = sleeper("free", type(ProfileType.Unconfined).setCapabilities(all()));
    assertThat(shell(free, "mkdir -p /mnt; " + mount + " && echo mounted")).isEqualTo("mounted");
  }

  private static io.jrt.cri.v1.Capability all() {
    return io.jrt.cri.v1.Capability.newBuilder().addAddCapabilities("ALL").build();
  }

  @Test
  void processesOfTheNodeAreNeitherSignalledNorRead() {
    LinuxContainerSecurityContext.Builder security =
        type(ProfileType.RuntimeDefault).setCapabilities(all());
    ContainerConfig.Builder node = config("node", security, "sleep", "1000").toBuilder();
    node.getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.NODE);
    String container = cri.run(pod, podConfig, node.build());
    long self = ProcessHandle.current().pid();
    assertThat(shell(container, "kill -0 " + self)).containsIgnoringCase("denied");
    assertThat(shell(container, "cat /proc/" + self + "/environ")).containsIgnoringCase("denied");
    // And the node ends it, as ever.
    cri.stop(container, 0);
    assertThat(cri.awaitExit(container).getExitCode()).isEqualTo(137);
  }

  @Test
  void profileOfTheNodeHoldsTheContainerAndItsCommands() {
    for (String name : new String[] {OWN, "localhost/" + OWN}) {
      String container = sleeper("c" + name.length(), localhost(name));
      assertProfile(container, OWN + " (enforce)");
      assertThat(shell(container, "cat /etc/passwd")).contains("denied");
      assertThat(shell(container, "echo x >/tmp/x")).contains("denied");
      assertThat(shell(container, "cat /etc/group")).contains("root");
    }
  }

  @Test
  @SuppressWarnings("deprecation") // old kubelets send it
  void wordsOfOldKubeletsAreUnderstoodAndTheNewOnesGoFirst() {
    var old = LinuxContainerSecurityContext.newBuilder().setApparmorProfile("localhost/" + OWN);
    assertProfile(sleeper("old", old), OWN + " (enforce)");
    old = LinuxContainerSecurityContext.newBuilder().setApparmorProfile("runtime/default");
    assertProfile(sleeper("default", old), "jrt-default (enforce)");
    old = LinuxContainerSecurityContext.newBuilder().setApparmorProfile("unconfined");
    assertProfile(sleeper("unconfined", old), "unconfined");
    assertProfile(
        sleeper("both", localhost(OWN).setApparmorProfile("localhost/none")), OWN + " (enforce)");
  }

  @Test
  void profileHoldsWithNoNewPrivilegesToo() {
    String container = sleeper("nnp", localhost(OWN).setNoNewPrivs(true));
    assertProfile(container, OWN + " (enforce)");
    assertThat(shell(container, "cat /etc/passwd")).contains("denied");
  }

  @Test
  void privilegedContainersAreUnderTheProfileTheyNameAlone() {
    assertProfile(sleeper("p", type(ProfileType.RuntimeDefault).setPrivileged(true)), "unconfined");
    assertProfile(
        sleeper("plain", LinuxContainerSecurityContext.newBuilder().setPrivileged(true)),
        "unconfined");
    String held = sleeper("held", localhost(OWN).setPrivileged(true));
    assertProfile(held, OWN + " (enforce)");
    assertThat(shell(held, "cat /etc/passwd")).contains("denied");
  }

  @Test
  void profileThatIsNotLoadedIsNamedAndNothingIsMade() {
    assertThatThrownBy(
            () -> cri.create(pod, podConfig, config("none", localhost("no-such-profile"), "true")))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
              assertThat(e.getStatus().getDescription())
                  .contains("apparmor profile \"no-such-profile\" is not loaded");
            });
    assertThat(
            cri.runtime()
                .listContainers(
                    ListContainersRequest.newBuilder()
                        .setFilter(ContainerFilter.newBuilder().setPodSandboxId(pod))
                        .build())
                .getContainersList())
        .isEmpty();
  }

  @Test
  void profileThatIsUnloadedMeanwhileKeepsTheContainerFromStartingAndIsTold() throws Exception {
    String name = OWN + "-goes";
    String profile = "profile " + name + " flags=(attach_disconnected) { file, }\n";
    parser("-r", profile);
    String container = cri.create(pod, podConfig, config("goes", localhost(name), "true"));
    parser("-R", profile);
    assertThatThrownBy(() -> cri.start(container))
        .hasMessageContaining("apparmor profile \"" + name + "\" is not loaded");
    ContainerStatus status = cri.status(container);
    assertThat(status.getMessage()).contains(name).contains("is not loaded");
    assertThat(daemon.jrt("why", container).out()).contains(name).contains("is not loaded");
  }

  @Test
  void peopleNameProfilesToo() throws Exception {
    assertThat(
            daemon
                .jrt(
                    "run",
                    "--rm",
                    "--network",
                    "host",
                    "--security-opt",
                    "apparmor=" + OWN,
                    image,
                    "cat",
                    "/proc/self/attr/current")
                .ok())
        .contains(OWN + " (enforce)");
  }

  @Test
  void statusAndDoctorSayThatItIsThere() throws Exception {
    String said = "containers have AppArmor profiles";
    assertThat(daemon.jrt("doctor").out()).contains("good  rights: " + said);
    assertThat(
            cri.runtime()
                .status(StatusRequest.newBuilder().setVerbose(true).build())
                .getInfoOrThrow("doctor"))
        .contains(said)
        .doesNotContain("no AppArmor");
  }
}
