package io.jrt.cli;

import com.google.protobuf.ByteString;
import io.jrt.cri.v1.CDIDevice;
import io.jrt.cri.v1.Capability;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerMetadata;
import io.jrt.cri.v1.DNSConfig;
import io.jrt.cri.v1.Device;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.Int64Value;
import io.jrt.cri.v1.KeyValue;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerResources;
import io.jrt.cri.v1.LinuxContainerSecurityContext;
import io.jrt.cri.v1.LinuxPodSandboxConfig;
import io.jrt.cri.v1.LinuxSandboxSecurityContext;
import io.jrt.cri.v1.Mount;
import io.jrt.cri.v1.MountPropagation;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.NamespaceOption;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxMetadata;
import io.jrt.cri.v1.PortMapping;
import io.jrt.cri.v1.Protocol;
import io.jrt.cri.v1.SecurityProfile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The options of {@code jrt run} and what they mean as a pod and a container of CRI. */
final class RunFlags {
  static final List<Flag> FLAGS =
      List.of(
          Flag.toggle('i', "interactive", "hand our standard input to it"),
          Flag.toggle('t', "tty", "give it a terminal"),
          Flag.toggle('d', "detach", "leave it running and print its id"),
          Flag.toggle("rm", "remove it when it ends"),
          Flag.option("name", "NAME", "call it so"),
          Variables.ENV,
          Variables.ENV_FILE,
          Flag.option('v', "volume", "SOURCE:PATH[:ro]", "mount a host path or a named volume"),
          Flag.option("tmpfs", "PATH", "mount an empty tmpfs"),
          Flag.option('p', "publish", "[IP:]HOST:CONTAINER[/PROTOCOL]", "forward a host port"),
          Flag.option('w', "workdir", "PATH", "working directory"),
          Flag.option('u', "user", "USER[:GROUP]", "run as this user"),
          Flag.option("entrypoint", "COMMAND", "instead of the image's"),
          Flag.option('l', "label", "KEY=VALUE", "label pod and container"),
          Flag.option('m', "memory", "SIZE", "memory limit, such as 512m"),
          Flag.option("cpus", "NUMBER", "CPU limit, such as 1.5"),
          Flag.option("cpu-shares", "NUMBER", "CPU weight among siblings"),
          Flag.option("cpuset-cpus", "LIST", "only these CPUs"),
          Flag.option("network", "MODE", "pod or host"),
          Flag.option("pid", "MODE", "container or host"),
          Flag.option("ipc", "MODE", "pod or host"),
          Flag.option('h', "hostname", "NAME", "host name inside"),
          Flag.option("dns", "ADDRESS", "name server"),
          Flag.toggle("privileged", "all devices and capabilities, no confinement"),
          Flag.toggle("read-only", "the root file system cannot be written"),
          Flag.option("cap-add", "CAPABILITY", "one more capability, or ALL"),
          Flag.option("cap-drop", "CAPABILITY", "one less, or ALL"),
          Flag.option("security-opt", "OPTION", "no-new-privileges, seccomp=…, apparmor=…"),
          Flag.option("device", "HOST[:CONTAINER[:rwm]]", "hand in a device, or VENDOR/CLASS=NAME"),
          Flag.option("gpus", "all|INDEX|UUID", "hand in GPUs"),
          Flag.option("group-add", "GID", "one more group"),
          Flag.option("stop-signal", "SIGNAL", "what stop sends"),
          Flag.option("pull", "WHEN", "missing, always or never"),
          Flag.option("creds", "USER[:PASSWORD]", "credentials for the pull"),
          Flag.toggle('q', "quiet", "no pull progress"));

  private final Arguments arguments;
  private final String name;

  RunFlags(Arguments arguments, String name) {
    this.arguments = arguments;
    this.name = name;
  }

  PodSandboxConfig pod(String uid, Path logs) {
    PodSandboxConfig.Builder pod =
        PodSandboxConfig.newBuilder()
            .setMetadata(
                PodSandboxMetadata.newBuilder().setName(name).setNamespace("jrt").setUid(uid))
            .setHostname(arguments.value("hostname").orElse(host() ? "" : name))
            .setLogDirectory(logs.toString())
            .putLabels(RunCommand.LABEL, RunCommand.OWNER)
            .setLinux(
                LinuxPodSandboxConfig.newBuilder()
                    .setSecurityContext(
                        LinuxSandboxSecurityContext.newBuilder()
                            .setNamespaceOptions(namespaces())
                            .setPrivileged(arguments.has("privileged"))));
    labels(pod::putLabels);
    if (!arguments.values("dns").isEmpty()) {
      pod.setDnsConfig(DNSConfig.newBuilder().addAllServers(arguments.values("dns")));
    }
    for (String port : arguments.values("publish")) {
      pod.addPortMappings(port(port));
    }
    return pod.build();
  }

  /**
   * @param volumes the host path or id of a named volume
   * @param gpus the CDI name of a GPU that is named by index or UUID
   */
  ContainerConfig container(
      String image, List<String> command, UnaryOperator<String> volumes, UnaryOperator<String> gpus)
      throws IOException {
    ContainerConfig.Builder container =
        ContainerConfig.newBuilder()
            .setMetadata(ContainerMetadata.newBuilder().setName(name))
            .setImage(ImageSpec.newBuilder().setImage(image).setUserSpecifiedImage(image))
            .addAllArgs(command)
            .setWorkingDir(arguments.value("workdir").orElse(""))
            .setLogPath(name + ".log")
            .setStdin(arguments.has("interactive"))
            .setStdinOnce(arguments.has("interactive") && !arguments.has("detach"))
            .setTty(arguments.has("tty"))
            .setLinux(
                LinuxContainerConfig.newBuilder()
                    .setResources(resources())
                    .setSecurityContext(security()));
    labels(container::putLabels);
    arguments.value("entrypoint").ifPresent(container::addCommand);
    for (String variable : Variables.of(arguments)) {
      int equals = variable.indexOf('=');
      container.addEnvs(
          KeyValue.newBuilder()
              .setKey(variable.substring(0, equals))
              .setValue(
                  ByteString.copyFrom(variable.substring(equals + 1), StandardCharsets.UTF_8)));
    }
    for (String volume : arguments.values("volume")) {
      container.addMounts(mount(volume, volumes));
    }
    for (String device : arguments.values("device")) {
      device(container, device);
    }
    for (String gpu : arguments.values("gpus")) {
      for (String one : gpu.replaceFirst("^device=", "").split(",", -1)) {
        String name = one.contains("=") ? one : gpus.apply(one);
        container.addCDIDevices(CDIDevice.newBuilder().setName(name));
      }
    }
    Optional<String> signal = arguments.value("stop-signal");
    if (signal.isPresent()) {
      container.setStopSignal(Signals.named(signal.get()));
    }
    return container.build();
  }

  private boolean host() {
    return mode("network", "pod") == NamespaceMode.NODE;
  }

  private NamespaceOption namespaces() {
    return NamespaceOption.newBuilder()
        .setNetwork(mode("network", "pod"))
        .setPid(mode("pid", "container"))
        .setIpc(mode("ipc", "pod"))
        .build();
  }

  private NamespaceMode mode(String flag, String otherwise) {
    String word = arguments.value(flag).orElse(otherwise);
    return switch (word) {
      case "host" -> NamespaceMode.NODE;
      case "pod", "bridge", "default" -> NamespaceMode.POD;
      case "container", "private" -> NamespaceMode.CONTAINER;
      default -> throw new UsageException("--" + flag + " " + word + ": " + otherwise + " or host");
    };
  }

  private LinuxContainerResources resources() {
    LinuxContainerResources.Builder resources = LinuxContainerResources.newBuilder();
    arguments.value("memory").ifPresent(m -> resources.setMemoryLimitInBytes(Words.bytes(m)));
    Optional<String> cpus = arguments.value("cpus");
    if (cpus.isPresent()) {
      resources.setCpuPeriod(100_000).setCpuQuota(quota(cpus.get()));
    }
    resources.setCpuShares(arguments.number("cpu-shares", 0));
    arguments.value("cpuset-cpus").ifPresent(resources::setCpusetCpus);
    return resources.build();
  }

  private static long quota(String cpus) {
    try {
      double number = Double.parseDouble(cpus);
      if (number < 0.01 || number > 100_000) {
        throw new UsageException("--cpus " + cpus + " is out of range");
      }
      return Math.round(number * 100_000);
    } catch (NumberFormatException e) {
      throw new UsageException("--cpus " + cpus + " is no number");
    }
  }

  private LinuxContainerSecurityContext security() {
    boolean privileged = arguments.has("privileged");
    LinuxContainerSecurityContext.Builder security =
        LinuxContainerSecurityContext.newBuilder()
            .setNamespaceOptions(namespaces())
            .setPrivileged(privileged)
            .setReadonlyRootfs(arguments.has("read-only"))
            .setCapabilities(
                Capability.newBuilder()
                    .addAllAddCapabilities(upper("cap-add"))
                    .addAllDropCapabilities(upper("cap-drop")));
    SecurityProfile.Builder seccomp = profile(privileged ? "unconfined" : "default");
    SecurityProfile.Builder apparmor = profile(privileged ? "unconfined" : "default");
    for (String option : arguments.values("security-opt")) {
      if (option.equals("no-new-privileges") || option.equals("no-new-privileges=true")) {
        security.setNoNewPrivs(true);
      } else if (option.startsWith("seccomp=")) {
        seccomp = profile(option.substring("seccomp=".length()));
      } else if (option.startsWith("apparmor=")) {
        apparmor = profile(option.substring("apparmor=".length()));
      } else {
        throw new UsageException(
            "--security-opt " + option + ": no-new-privileges, seccomp=… or apparmor=…");
      }
    }
    security.setSeccomp(seccomp).setApparmor(apparmor);
    if (!privileged) {
      security.addAllMaskedPaths(MASKED).addAllReadonlyPaths(READ_ONLY);
    }
    for (String group : arguments.values("group-add")) {
      security.addSupplementalGroups(id("--group-add", group));
    }
    arguments.value("user").ifPresent(user -> user(security, user));
    return security.build();
  }

  /** What the kubelet sends for a container whose /proc is not asked to be unmasked. */
  private static final List<String> MASKED =
      List.of(
          "/proc/asound",
          "/proc/acpi",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/sys/firmware",
          "/sys/devices/virtual/powercap");

  private static final List<String> READ_ONLY =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private static SecurityProfile.Builder profile(String word) {
    return switch (word) {
      case "default" ->
          SecurityProfile.newBuilder().setProfileType(SecurityProfile.ProfileType.RuntimeDefault);
      case "unconfined" ->
          SecurityProfile.newBuilder().setProfileType(SecurityProfile.ProfileType.Unconfined);
      default ->
          SecurityProfile.newBuilder()
              .setProfileType(SecurityProfile.ProfileType.Localhost)
              .setLocalhostRef(word);
    };
  }

  private static void user(LinuxContainerSecurityContext.Builder security, String text) {
    int colon = text.indexOf(':');
    String user = colon < 0 ? text : text.substring(0, colon);
    if (!user.isEmpty() && user.chars().allMatch(Character::isDigit)) {
      security.setRunAsUser(Int64Value.newBuilder().setValue(id("--user", user)));
    } else {
      security.setRunAsUsername(user);
    }
    if (colon >= 0) {
      long group = id("--user", text.substring(colon + 1));
      security.setRunAsGroup(Int64Value.newBuilder().setValue(group));
    }
  }

  private static long id(String flag, String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new UsageException(flag + " " + text + ": a group is given by its number");
    }
  }

  private List<String> upper(String flag) {
    return arguments.values(flag).stream().map(word -> word.toUpperCase(Locale.ROOT)).toList();
  }

  private void labels(java.util.function.BiConsumer<String, String> put) {
    for (String label : arguments.values("label")) {
      int equals = label.indexOf('=');
      put.accept(
          equals < 0 ? label : label.substring(0, equals),
          equals < 0 ? "" : label.substring(equals + 1));
    }
  }

  private static Mount mount(String text, UnaryOperator<String> volumes) {
    String[] parts = text.split(":", -1);
    if (parts.length < 2 || parts.length > 3 || !parts[1].startsWith("/")) {
      throw new UsageException("--volume " + text + " is not SOURCE:PATH[:ro]");
    }
    String source = parts[0];
    Mount.Builder mount =
        Mount.newBuilder()
            .setHostPath(
                source.startsWith("/")
                    ? source
                    : source.startsWith(".")
                        ? Path.of(source).toAbsolutePath().normalize().toString()
                        : volumes.apply(source))
            .setContainerPath(parts[1]);
    for (String option : parts.length == 3 ? parts[2].split(",", -1) : new String[0]) {
      switch (option) {
        case "ro" -> mount.setReadonly(true);
        case "rw" -> mount.setReadonly(false);
        case "rro" -> mount.setReadonly(true).setRecursiveReadOnly(true);
        case "rslave" -> mount.setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER);
        case "rshared" -> mount.setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL);
        case "z", "Z" -> mount.setSelinuxRelabel(true);
        case "noexec", "nodev", "nosuid" -> mount.addMountOptions(option);
        default -> throw new UsageException("--volume " + text + ": no option " + option);
      }
    }
    return mount.build();
  }

  private static void device(ContainerConfig.Builder container, String text) {
    if (!text.startsWith("/")) {
      container.addCDIDevices(CDIDevice.newBuilder().setName(text));
      return;
    }
    String[] parts = text.split(":", -1);
    if (parts.length > 3) {
      throw new UsageException("--device " + text + " is not HOST[:CONTAINER[:rwm]]");
    }
    container.addDevices(
        Device.newBuilder()
            .setHostPath(parts[0])
            .setContainerPath(parts.length > 1 ? parts[1] : parts[0])
            .setPermissions(parts.length > 2 ? parts[2] : "rwm"));
  }

  private static PortMapping port(String text) {
    int slash = text.indexOf('/');
    String protocol = slash < 0 ? "tcp" : text.substring(slash + 1).toLowerCase(Locale.ROOT);
    String ports = slash < 0 ? text : text.substring(0, slash);
    int containerColon = ports.lastIndexOf(':');
    int hostColon = containerColon < 0 ? -1 : ports.lastIndexOf(':', containerColon - 1);
    if (containerColon < 0) {
      throw new UsageException("--publish " + text + " is not [IP:]HOST:CONTAINER[/PROTOCOL]");
    }
    String address = hostColon < 0 ? "" : ports.substring(0, hostColon);
    return PortMapping.newBuilder()
        .setHostIp(address.replace("[", "").replace("]", ""))
        .setHostPort(number(text, ports.substring(hostColon + 1, containerColon)))
        .setContainerPort(number(text, ports.substring(containerColon + 1)))
        .setProtocol(
            switch (protocol) {
              case "tcp" -> Protocol.TCP;
              case "udp" -> Protocol.UDP;
              case "sctp" -> Protocol.SCTP;
              default -> throw new UsageException("--publish " + text + ": tcp, udp or sctp");
            })
        .build();
  }

  private static int number(String text, String port) {
    try {
      int number = Integer.parseInt(port);
      if (number >= 1 && number <= 65_535) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new UsageException("--publish " + text + ": port " + port + " is no number");
    }
    throw new UsageException("--publish " + text + ": port " + port + " is not 1 to 65535");
  }
}
