package io.jrt.core.life;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.Deadline;
import io.jrt.core.NamespaceMode;
import io.jrt.core.NamespaceOptions;
import io.jrt.core.PodConfig;
import io.jrt.core.PodFilter;
import io.jrt.core.PodMetadata;
import io.jrt.core.PodSecurity;
import io.jrt.core.TestHome;
import io.jrt.core.cgroup.CgroupManager;
import io.jrt.core.cgroup.CgroupfsDriver;
import io.jrt.core.io.IoEngine;
import io.jrt.core.launch.LinuxLauncher;
import io.jrt.core.plugin.LifecyclePlugins;
import io.jrt.core.store.Layout;
import io.jrt.events.JournaledEvents;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.store.LocalImageStore;
import io.jrt.linux.FailPoints;
import io.jrt.linux.Kernel;
import io.jrt.linux.MountEntry;
import io.jrt.linux.Poller;
import io.jrt.network.BridgeConfig;
import io.jrt.network.NetworkConfig;
import io.jrt.network.NetworkProvider;
import io.jrt.network.spi.NetworkContext;
import io.jrt.network.spi.NetworkProviders;
import io.jrt.security.Security;
import io.jrt.security.SecurityConfig;
import io.jrt.volumes.Volumes;
import io.jrt.volumes.VolumesConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A runtime on the real kernel in a temporary directory, with one image of busybox. It can be
 * closed and opened anew, as a daemon is; closing the lab removes everything, whatever failed.
 */
final class RuntimeLab implements AutoCloseable {
  static final Duration SOON = Duration.ofSeconds(20);

  final Kernel kernel;
  final Path directory;
  final Layout layout;
  final Path logs;
  final FailPoints failPoints;
  private final boolean bridge;
  private boolean importsImages;
  final CgroupManager manager;
  private final String cgroupParent;
  private CoreConfig config = CoreConfig.DEFAULT;
  private @Nullable Open open;
  private int names;

  /** What lives as long as a daemon does. */
  private record Open(
      ImageStore images,
      NetworkProvider network,
      Poller poller,
      LinuxLauncher launcher,
      IoEngine io,
      JournaledEvents events,
      Volumes volumes,
      ContainerRuntime runtime) {}

  /** In a new directory, with a network that leads nowhere. */
  RuntimeLab() throws IOException {
    this(TestHome.make("core"), FailPoints.none(), false);
    open();
  }

  /** Not opened yet, with the fail-points of the process. */
  RuntimeLab(Path directory) throws IOException {
    this(Kernel.open(), directory);
  }

  private RuntimeLab(Kernel kernel, Path directory) throws IOException {
    this(kernel, directory, kernel.failPoints(), false);
  }

  /** Not opened yet. */
  RuntimeLab(Path directory, FailPoints failPoints, boolean bridge) throws IOException {
    this(Kernel.open(), directory, failPoints, bridge);
  }

  private RuntimeLab(Kernel kernel, Path directory, FailPoints failPoints, boolean bridge)
      throws IOException {
    this.kernel = kernel;
    this.manager = CgroupManager.detect(kernel);
    this.directory = directory;
    this.failPoints = failPoints;
    this.bridge = bridge;
    layout = new Layout(directory.resolve("root"), directory.resolve("state"));
    logs = Files.createDirectories(directory.resolve("logs"));
    cgroupParent = "/jrt-test-" + directory.getFileName();
  }

  /** Counts from the next opening on. */
  void configure(CoreConfig other) {
    config = other;
  }

  ContainerRuntime runtime() {
    return now().runtime();
  }

  private Open now() {
    Open current = open;
    if (current == null) {
      throw new IllegalStateException("the runtime is closed");
    }
    return current;
  }

  void open() {
    NetworkProvider network = bridge ? bridge() : new LoopbackNetwork(directory.resolve("net"));
    ImageStore images = importsImages ? imported() : new BusyboxImages(directory.resolve("images"));
    Poller poller = kernel.newPoller("lab");
    Path init = Path.of(System.getProperty("jrt.init"));
    LinuxLauncher launcher = new LinuxLauncher(kernel, poller, init);
    IoEngine io = IoEngine.open(kernel, layout.state().resolve("io"));
    JournaledEvents events = JournaledEvents.open(layout.root().resolve("events"), 1000, 1 << 20);
    Volumes volumes = new Volumes(kernel, VolumesConfig.defaults(layout.root().resolve("volumes")));
    Wiring wiring =
        new Wiring(
            config,
            layout,
            kernel,
            images,
            network,
            volumes,
            new Security(kernel, SecurityConfig.DEFAULT),
            new KernelControlGroups(kernel, manager, new CgroupfsDriver(manager, cgroupParent)),
            launcher,
            io,
            events,
            failPoints,
            LifecyclePlugins.NONE,
            init);
    open =
        new Open(images, network, poller, launcher, io, events, volumes, new NodeRuntime(wiring));
  }

  /** From now on with the real image store, into which the busybox image was imported. */
  void importImages() {
    importsImages = true;
  }

  private ImageStore imported() {
    ImageStore store =
        LocalImageStore.open(ImageStoreConfig.at(layout.root().resolve("store")), kernel);
    if (store.list().isEmpty()) {
      BusyboxImages tree = new BusyboxImages(directory.resolve("images"));
      store.importArchive(tree.ociLayout(directory.resolve("oci")), PullListener.NONE);
    }
    return store;
  }

  private NetworkProvider bridge() {
    String instance = Integer.toString(directory.hashCode() & 0xfffff, 36);
    NetworkConfig config =
        new NetworkConfig(
            "bridge",
            new BridgeConfig(List.of("10.211.0.0/24"), 1500, false),
            NetworkConfig.DEFAULT.cni(),
            NetworkConfig.DEFAULT.groups(),
            Map.of());
    return NetworkProviders.open(
        new NetworkContext(
            kernel,
            instance,
            Layout.makeDirectory(layout.root().resolve("network")),
            Layout.makeDirectory(layout.state().resolve("network")),
            config));
  }

  /** Ends the daemon's part: containers stay. */
  void shut() {
    Open was = open;
    if (was != null) {
      was.runtime().close();
      was.io().close();
      was.launcher().close();
      was.poller().close();
      was.events().close();
      was.network().close();
      was.images().close();
      open = null;
    }
  }

  void restart() {
    shut();
    open();
  }

  Volumes volumes() {
    return now().volumes();
  }

  ImageStore images() {
    return now().images();
  }

  PodConfig pod(NamespaceMode network, NamespaceMode pid) {
    names++;
    NamespaceOptions namespaces =
        new NamespaceOptions(network, pid, NamespaceMode.POD, "", Optional.empty());
    return new PodConfig(
        new PodMetadata("pod" + names, "uid" + names, "test", 0),
        "pod" + names,
        logs.toString(),
        Optional.empty(),
        List.of(),
        Map.of("number", "" + names),
        Map.of(),
        "",
        new PodSecurity(
            namespaces,
            Optional.empty(),
            PodSecurity.DEFAULT.runAsUser(),
            PodSecurity.DEFAULT.runAsGroup(),
            false,
            List.of(),
            PodSecurity.DEFAULT.supplementalGroupsPolicy(),
            false,
            Optional.empty(),
            Optional.empty()),
        Map.of(),
        Optional.empty(),
        Optional.empty());
  }

  String runPod() {
    return runtime()
        .runPod(pod(NamespaceMode.POD, NamespaceMode.CONTAINER), "", Deadline.after(SOON));
  }

  /** A container with a pid namespace of its own and a log. */
  ContainerConfig container(String name, String script) {
    ContainerConfig plain = ContainerConfig.of(name, BusyboxImages.NAME, List.of());
    return new ContainerConfig(
        plain.metadata(),
        plain.image(),
        Bytes.listOf(List.of("sh", "-c", script)),
        List.of(),
        "",
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        Map.of(),
        Map.of(),
        name + ".log",
        false,
        false,
        false,
        Optional.empty(),
        Configs.withPid(plain.security(), NamespaceMode.CONTAINER),
        "");
  }

  String start(String podId, ContainerConfig config) {
    String id = runtime().createContainer(podId, config, Deadline.after(SOON));
    runtime().startContainer(id, Deadline.after(SOON));
    return id;
  }

  ContainerState.Exited awaitExit(String containerId) throws InterruptedException {
    long until = System.nanoTime() + SOON.toNanos();
    while (System.nanoTime() < until) {
      if (runtime().containerStatus(containerId).state() instanceof ContainerState.Exited exited) {
        return exited;
      }
      Thread.sleep(10);
    }
    throw new AssertionError(
        "still " + runtime().containerStatus(containerId).state() + " after " + SOON);
  }

  /** The content of the log lines of a container. */
  List<String> log(String name) throws IOException {
    Path file = logs.resolve(name + ".log");
    if (!Files.exists(file)) {
      return List.of();
    }
    return Files.readAllLines(file).stream().map(line -> line.split(" ", 4)[3]).toList();
  }

  void awaitLog(String name, String line) throws IOException, InterruptedException {
    long until = System.nanoTime() + SOON.toNanos();
    while (!log(name).contains(line)) {
      if (System.nanoTime() > until) {
        throw new AssertionError("no line \"" + line + "\" in " + log(name));
      }
      Thread.sleep(10);
    }
  }

  String exec(String containerId, String... command) {
    try (var result = runtime().execSync(containerId, Bytes.listOf(List.of(command)), SOON)) {
      return result.stdout().text() + result.stderr().text();
    }
  }

  /** Everything on this machine that carries the lab's names: empty when nothing leaked. */
  List<String> traces() throws IOException {
    List<String> traces = new ArrayList<>();
    for (MountEntry mount : kernel.mounts().mountInfo()) {
      if (mount.target().startsWith(directory + "/")) {
        traces.add("mount " + mount.target());
      }
    }
    manager.children(cgroupParent).forEach(child -> traces.add("cgroup " + child));
    for (Path place :
        List.of(
            layout.pods(),
            layout.containers(),
            layout.intents(),
            layout.podRecords(),
            layout.containerRecords(),
            directory.resolve("net"),
            directory.resolve("images/snapshots"))) {
      if (Files.isDirectory(place)) {
        try (Stream<Path> entries = Files.list(place)) {
          entries.forEach(entry -> traces.add("file " + entry));
        }
      }
    }
    String marker = directory.toString();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      processes
          .filter(process -> process.getFileName().toString().matches("[0-9]+"))
          .filter(process -> keeps(process, marker))
          .forEach(process -> traces.add("process " + process.getFileName()));
    }
    return traces;
  }

  /** A keeper holds its directory open. */
  private static boolean keeps(Path process, String marker) {
    if (process.getFileName().toString().equals("" + ProcessHandle.current().pid())) {
      return false;
    }
    try (Stream<Path> fds = Files.list(process.resolve("fd"))) {
      return fds.anyMatch(
          fd -> {
            try {
              return Files.readSymbolicLink(fd).toString().startsWith(marker);
            } catch (IOException e) {
              return false;
            }
          });
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    try {
      if (open == null) {
        open();
      }
      for (var pod : runtime().pods(PodFilter.ALL)) {
        runtime().removePod(pod.id(), Deadline.after(SOON));
      }
    } finally {
      if (bridge) {
        now().network().cleanupAll();
      }
      shut();
      manager
          .find(cgroupParent)
          .ifPresent(
              cgroup -> {
                cgroup.killAll(SOON);
                cgroup.remove();
              });
      for (Path mount : PodDirectory.mountsBelow(kernel, directory)) {
        kernel.mounts().detach(mount);
      }
      Layout.removeDirectory(directory);
    }
  }
}
