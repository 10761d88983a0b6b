package io.jrt.server;

import io.grpc.BindableService;
import io.jrt.core.cgroup.CgroupManager;
import io.jrt.core.io.IoEngine;
import io.jrt.core.launch.LinuxLauncher;
import io.jrt.core.life.ContentLabels;
import io.jrt.core.life.ControlGroups;
import io.jrt.core.life.KernelControlGroups;
import io.jrt.core.life.NodeRuntime;
import io.jrt.core.life.Wiring;
import io.jrt.core.op.Together;
import io.jrt.core.plugin.LifecyclePlugins;
import io.jrt.core.store.Layout;
import io.jrt.errors.JrtException;
import io.jrt.events.DaemonEvent;
import io.jrt.events.JournaledEvents;
import io.jrt.image.store.LocalImageStore;
import io.jrt.linux.Kernel;
import io.jrt.linux.Prctl;
import io.jrt.network.NetworkProvider;
import io.jrt.network.spi.NetworkContext;
import io.jrt.network.spi.NetworkProviders;
import io.jrt.security.Capabilities;
import io.jrt.security.Security;
import io.jrt.security.SecurityConfig;
import io.jrt.security.SecurityProfile;
import io.jrt.server.admin.AdminSwitchboard;
import io.jrt.server.admin.Doctor;
import io.jrt.server.config.Config;
import io.jrt.server.config.ConfigText;
import io.jrt.server.config.Configuration;
import io.jrt.server.config.DaemonConfig;
import io.jrt.server.cri.ImageServiceSwitchboard;
import io.jrt.server.cri.RuntimeServiceSwitchboard;
import io.jrt.server.image.ArchiveDirectories;
import io.jrt.server.image.Images;
import io.jrt.server.log.Logging;
import io.jrt.server.metrics.Metrics;
import io.jrt.server.metrics.MetricsServer;
import io.jrt.server.nri.NriPlugins;
import io.jrt.server.nri.NriServer;
import io.jrt.server.rpc.CallObserver;
import io.jrt.server.rpc.SelfCheck;
import io.jrt.server.rpc.Statuses;
import io.jrt.server.rpc.UnixServer;
import io.jrt.server.streaming.StreamingServer;
import io.jrt.server.systemd.Activation;
import io.jrt.server.systemd.Systemd;
import io.jrt.server.trace.Traces;
import io.jrt.volumes.Volumes;
import io.jrt.volumes.VolumesConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code jrtd}: builds everything in the order in which it is read here, serves, and closes it
 * backwards. Containers stay when it goes.
 */
public final class Main {
  private static final Logger log = LoggerFactory.getLogger("io.jrt.jrtd");

  private Main() {}

  public static void main(String[] arguments) {
    int status = run(List.of(arguments));
    if (status != 0) {
      System.exit(status);
    }
  }

  private static int run(List<String> arguments) {
    try {
      Options options = Options.parse(arguments);
      return switch (options.mode()) {
        case HELP -> print(Options.USAGE);
        case VERSION -> print("jrtd " + Version.current() + "\n");
        case PRINT_DEFAULT_CONFIG -> print(ConfigText.ofDefaults());
        case CHECK_CONFIG -> checkConfig(options);
        case SERVE -> serve(options);
        case CLEAN_UP -> cleanUp(options);
      };
    } catch (Options.UsageException e) {
      System.err.println("jrtd: " + e.getMessage() + " (see jrtd --help)");
      return 2;
    } catch (JrtException e) {
      System.err.println("jrtd: " + Statuses.sentence(e));
      log.debug("the start failed", e);
      return 1;
    }
  }

  private static int print(String text) {
    System.out.print(text);
    return 0;
  }

  /** Reads the configuration as a start would, and says what is wrong with it. */
  private static int checkConfig(Options options) {
    Path file = options.config().orElse(Options.DEFAULT_CONFIG);
    Configuration.read(file, options.config().isPresent(), options::over);
    return print(file + " is good\n");
  }

  /** Serves until the process is told to go; the hook closes everything then. */
  private static int serve(Options options) {
    long since = System.nanoTime();
    var closer = new Closer();
    try {
      build(options, closer, since);
    } catch (RuntimeException e) {
      closer.close();
      throw e;
    }
    Runtime.getRuntime()
        .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(closer::close));
    closer.awaitClosed();
    return 0;
  }

  /** Takes every trace of a root and state pair from the machine. */
  private static int cleanUp(Options options) {
    var closer = new Closer();
    Node node;
    try {
      node = assemble(options, closer);
      new Cleanup(node.runtime(), node.network(), node.cgroups()).emptyNode();
    } finally {
      closer.close();
    }
    DaemonConfig daemon = node.configuration().current().daemon();
    Cleanup.removeDirectory(node.kernel(), daemon.state());
    Cleanup.removeDirectory(node.kernel(), daemon.root());
    return 0;
  }

  /** Everything below the servers: what a daemon is without anybody to talk to. */
  private record Node(
      Configuration configuration,
      Kernel kernel,
      Systemd systemd,
      JournaledEvents events,
      LocalImageStore store,
      Volumes volumes,
      NetworkProvider network,
      Security security,
      ControlGroups cgroups,
      Optional<NriPlugins> plugins,
      NodeRuntime runtime) {}

  private static Node assemble(Options options, Closer closer) {
    // Side by side what does not need the other: most of a start is classes on their way in.
    Configuration configuration;
    Future<Kernel> opened;
    try (Together together = new Together("start")) {
      opened = together.get(Kernel::open);
      configuration =
          Configuration.read(
              options.config().orElse(Options.DEFAULT_CONFIG),
              options.config().isPresent(),
              options::over);
    }
    Kernel kernel = opened.resultNow();
    configuration.onChange(config -> Logging.apply(config.log()));
    Config config = configuration.current();
    Path root = config.daemon().root();
    Path state = config.daemon().state();
    Instance instance = Instance.of(root);

    // A core would hold what passes through here: credentials, environments, sessions.
    kernel.processes().prctl(Prctl.PR_SET_DUMPABLE, 0);
    var systemd = new Systemd(kernel.sockets(), System.getenv());
    Path jrtInit = InitProgram.find(System.getenv());
    Layout.makeDirectory(root);
    Layout.makeDirectory(state);
    // Whoever made them: what lies in them is nobody else's.
    Layout.closeToOthers(root);
    Layout.closeToOthers(state);
    closer.add(DaemonLock.take(root));
    closer.add(DaemonLock.take(state));
    Security security = new Security(kernel, SecurityConfig.DEFAULT);
    ContentLabels.apply(
        kernel,
        security.selinux(),
        Layout.makeDirectory(root.resolve("images")),
        Layout.makeDirectory(root.resolve("volumes")));

    Future<JournaledEvents> events;
    Future<LocalImageStore> store;
    Future<NetworkProvider> network;
    Volumes volumes;
    ControlGroups cgroups;
    LinuxLauncher launcher;
    IoEngine io;
    try (Together together = new Together("start")) {
      events =
          together.get(
              () ->
                  closer.add(
                      JournaledEvents.open(
                          root.resolve("events"),
                          config.events().replay(),
                          config.events().journalSize().bytes())));
      store =
          together.get(
              () ->
                  closer.add(
                      LocalImageStore.open(
                          config.images().toStore(root.resolve("images")),
                          kernel,
                          kernel.failPoints()::hit)));
      network =
          together.get(
              () ->
                  closer.add(
                      NetworkProviders.open(
                          new NetworkContext(
                              kernel,
                              instance.id(),
                              root.resolve("network"),
                              state.resolve("network"),
                              config.network().toNetwork()))));
      volumes = new Volumes(kernel, VolumesConfig.defaults(root.resolve("volumes")));
      CgroupManager manager = CgroupManager.detect(kernel);
      cgroups =
          new KernelControlGroups(
              kernel,
              manager,
              CgroupDrivers.choose(
                  config.containers().cgroupDriver(),
                  kernel,
                  jrtInit,
                  manager,
                  instance.cgroup(),
                  closer));
      var poller = closer.add(kernel.newPoller("launch-poller"));
      launcher = closer.add(new LinuxLauncher(kernel, poller, jrtInit));
      io = closer.add(IoEngine.open(kernel, state.resolve("io")));
    }
    config.images().pinned().forEach(store.resultNow()::pin);
    Optional<NriPlugins> plugins =
        config.nri().socket().isEmpty() ? Optional.empty() : Optional.of(new NriPlugins());
    var runtime =
        closer.add(
            new NodeRuntime(
                new Wiring(
                    config.containers().toCore(config.devices()),
                    new Layout(root, state),
                    kernel,
                    store.resultNow(),
                    network.resultNow(),
                    volumes,
                    security,
                    cgroups,
                    launcher,
                    io,
                    events.resultNow(),
                    kernel.failPoints(),
                    plugins.<LifecyclePlugins>map(each -> each).orElse(LifecyclePlugins.NONE),
                    jrtInit)));
    return new Node(
        configuration,
        kernel,
        systemd,
        events.resultNow(),
        store.resultNow(),
        volumes,
        network.resultNow(),
        security,
        cgroups,
        plugins,
        runtime);
  }

  private static void build(Options options, Closer closer, long since) {
    Node node = assemble(options, closer);
    Configuration configuration = node.configuration();
    Config config = configuration.current();
    NodeRuntime runtime = node.runtime();
    JournaledEvents events = node.events();
    Systemd systemd = node.systemd();
    Path root = config.daemon().root();

    var images = new Images(node.store(), runtime);
    var streaming =
        closer.add(
            StreamingServer.start(config.streaming().toStreaming(), new RuntimeStreams(runtime)));
    var doctor = new Doctor(runtime, images, configuration);
    var reload = new Reload(configuration, systemd, events);
    String version = Version.current();
    CallObserver calls = CallObserver.NONE;
    if (!config.metrics().address().isEmpty()) {
      var metrics = closer.add(new Metrics(version, runtime, images));
      runtime.observe(metrics);
      images.observe(metrics);
      calls = metrics;
      closer.add(MetricsServer.start(config.metrics().address(), metrics));
    }
    List<BindableService> services =
        List.of(
            new RuntimeServiceSwitchboard(
                version,
                runtime,
                streaming,
                () ->
                    Map.of(
                        "config", ConfigText.of(configuration.current()),
                        "doctor", doctor.text())),
            new ImageServiceSwitchboard(images),
            new AdminSwitchboard(
                version,
                runtime,
                images,
                node.volumes().named(),
                configuration,
                doctor,
                root.resolve("uploads"),
                streaming,
                reload));
    if (!config.traces().endpoint().isEmpty()) {
      var traces = closer.add(Traces.start(config.traces(), version, root));
      runtime.observe(traces);
      images.observe(traces);
      services = services.stream().map(traces::around).toList();
    }
    node.plugins()
        .ifPresent(plugins -> closer.add(NriServer.start(config.nri(), plugins, runtime, version)));
    closer.add(
        UnixServer.start(
            config.daemon().socket(),
            config.daemon().socketGroup(),
            Activation.listener(node.kernel(), System.getenv()),
            services,
            calls));

    closer.add(
        ArchiveDirectories.watch(
            images,
            () -> configuration.current().images().importDirs(),
            root.resolve("archives.json")));

    if (!systemd.watchdog().isZero()) {
      var check =
          closer.add(new SelfCheck(config.daemon().socket(), systemd.watchdog().dividedBy(3)));
      systemd.watch(check);
      closer.add(systemd::unwatch);
    }
    closer.add(HeapTrimmer.start());
    closer.add(systemd::stopping);
    closer.add(() -> events.publish(new DaemonEvent.Stopping("asked to")));
    reload.onHangUp();
    events.publish(new DaemonEvent.Started(version, (int) ProcessHandle.current().pid()));
    long millis = Duration.ofNanos(System.nanoTime() - since).toMillis();
    log.info("jrtd {} serves {} after {} ms", version, config.daemon().socket(), millis);
    systemd.ready("serves " + config.daemon().socket());
    Thread.ofPlatform()
        .name("default-filter")
        .daemon()
        .start(() -> compileDefaultFilter(node.security()));
  }

  /** The first pod shall not wait for the filter that nearly every container has. */
  private static void compileDefaultFilter(Security security) {
    try {
      security.seccomp(new SecurityProfile.RuntimeDefault(), Capabilities.DEFAULT, false);
    } catch (JrtException e) {
      log.warn("no default seccomp filter: {}", e.getMessage());
    }
  }
}
