package io.jrt.core.life;

import io.jrt.core.Deadline;
import io.jrt.core.LinuxResources;
import io.jrt.core.PodConfig;
import io.jrt.core.PodMetadata;
import io.jrt.core.op.Operation;
import io.jrt.core.op.Operations;
import io.jrt.core.store.BootId;
import io.jrt.core.store.Ids;
import io.jrt.core.store.Intent;
import io.jrt.core.store.PodRecord;
import io.jrt.core.store.RecordStore;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.NetworkEvent;
import io.jrt.events.PodEvent;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.KernelException;
import io.jrt.linux.NamespaceKind;
import io.jrt.linux.WholeFile.Durability;
import io.jrt.network.AttachRequest;
import io.jrt.network.PodRef;
import io.jrt.network.PortMapping;
import io.jrt.security.SelinuxLabels;
import io.jrt.security.Sysctls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of a pod sandbox.
 *
 * <pre>
 *   run            stop                    stopped               remove
 *   ---> READY ----------> STOPPING -------------------> STOPPED ------> gone
 *                 ^            |  a step failed: stop again
 *                 |            +---------------------------+
 *    reboot, or its namespaces were lost: straight to STOPPING
 * </pre>
 *
 * A run that fails at any step undoes the steps before it, so that nothing and no name is left; one
 * that the daemon does not survive is undone by the next daemon, which finds the intent.
 */
final class PodLifecycle {
  private static final Logger log = LoggerFactory.getLogger(PodLifecycle.class);

  private final Wiring wiring;
  private final Inventory inventory;
  private final Operations operations;
  private final RecordStore<PodRecord> records;
  private final RecordStore<Intent> intents;
  private final PodNamespaces namespaces;
  private final PodDirectory directory;
  private final Labels labels;
  private final PodInits inits;
  private final PluginCalls plugins;
  private final Leftovers leftovers = new Leftovers();
  private final Ids ids = new Ids();
  private final String bootId = BootId.current();

  PodLifecycle(
      Wiring wiring,
      Inventory inventory,
      Operations operations,
      RecordStore<PodRecord> records,
      RecordStore<Intent> intents) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.operations = operations;
    this.records = records;
    this.intents = intents;
    this.namespaces = new PodNamespaces(wiring.kernel(), wiring.layout(), wiring.jrtInit());
    this.directory = new PodDirectory(wiring.kernel(), wiring.layout(), wiring.config());
    this.labels = new Labels(wiring.security().selinux());
    this.plugins = new PluginCalls(wiring.plugins(), inventory, namespaces);
    this.inits = new PodInits(wiring, namespaces, this::lose);
  }

  PodNamespaces namespaces() {
    return namespaces;
  }

  Labels labels() {
    return labels;
  }

  PodDirectory directory() {
    return directory;
  }

  PodInits inits() {
    return inits;
  }

  PluginCalls plugins() {
    return plugins;
  }

  Leftovers leftovers() {
    return leftovers;
  }

  private record RunRequest(PodConfig config, String handler) {}

  String run(PodConfig config, String handler, Deadline deadline) {
    PodMetadata name = config.metadata();
    if (!wiring.config().runtimeHandlers().contains(handler)) {
      throw new JrtException(
          ErrorKind.INVALID, "run pod", "runtime handler \"" + handler + "\" is not known");
    }
    if (name.name().isEmpty() || name.uid().isEmpty() || name.namespace().isEmpty()) {
      throw new JrtException(
          ErrorKind.INVALID, "run pod", "a pod needs a name, a namespace and a uid");
    }
    String key =
        "pod/%s/%s/%s/%d".formatted(name.namespace(), name.name(), name.uid(), name.attempt());
    String id =
        operations.run(
            key,
            "run pod",
            new RunRequest(config, handler),
            deadline,
            String.class,
            operation -> run(operation, config, handler));
    inventory.findPod(id).ifPresent(Pod::markAnswered);
    return id;
  }

  private String run(Operation operation, PodConfig config, String handler) {
    Optional<Pod> before = inventory.podNamed(config.metadata());
    if (before.isPresent()) {
      Pod pod = before.get();
      if (!pod.answered() && pod.isReady() && pod.record().config().equals(config)) {
        intents.remove(pod.id(), Durability.CRASH);
        return pod.id();
      }
      throw new JrtException(
          ErrorKind.ALREADY_EXISTS,
          "run pod",
          "pod %s/%s attempt %d of uid %s exists as %s"
              .formatted(
                  config.metadata().namespace(),
                  config.metadata().name(),
                  config.metadata().attempt(),
                  config.metadata().uid(),
                  pod.id()));
    }
    String id = ids.next();
    String parent = config.cgroupParent();
    String cgroup = wiring.cgroups().podPath(parent, id);
    Pod pod =
        new Pod(
            new PodRecord(
                id,
                config,
                handler,
                Instant.now(),
                bootId,
                PodRecord.Phase.READY,
                List.of(),
                cgroup,
                parent.isEmpty(),
                SelinuxLabels.NONE),
            false);
    operation.step("check request");
    Map<String, String> sysctls = sysctls(pod);
    PodNamespaces.maps(pod);
    pod.record(pod.record().withLabels(labels.allocate(config)));
    operation.step("write intent");
    try {
      intents.put(
          id,
          new Intent(id, Intent.Kind.POD, Instant.now(), Optional.of(cgroup)),
          Durability.CRASH);
      make(operation, pod, sysctls);
    } catch (Throwable e) {
      undo(pod, e);
      throw e;
    }
    intents.remove(id, Durability.CRASH);
    wiring
        .events()
        .publish(
            new PodEvent.Created(
                id,
                config.metadata().namespace(),
                config.metadata().name(),
                config.metadata().uid(),
                pod.record().ips()));
    return id;
  }

  private void make(Operation operation, Pod pod, Map<String, String> sysctls) {
    PodConfig config = pod.record().config();
    operation.step("make cgroup");
    wiring
        .cgroups()
        .createPod(pod.record().cgroup(), config.resources().orElse(LinuxResources.NONE));
    operation.step("make namespaces");
    namespaces.create(pod);
    if (!sysctls.isEmpty()) {
      operation.step("set sysctls");
      setNetworkSysctls(pod, sysctls);
    }
    if (!pod.hostNetwork()) {
      operation.step("attach network");
      var attachment = wiring.network().attach(attachRequest(pod));
      pod.record(pod.record().withIps(attachment.ips()));
      wiring
          .events()
          .publish(new NetworkEvent.Attached(pod.id(), wiring.network().name(), attachment.ips()));
    }
    operation.step("write pod files");
    directory.writeFiles(pod, pod.record().ips());
    if (!pod.hostIpc()) {
      operation.step("mount shared memory");
      directory.mountSharedMemory(pod);
    }
    if (!config.logDirectory().isEmpty()) {
      operation.step("make log directory");
      makeLogDirectory(config.logDirectory());
    }
    if (PodInits.wanted(config)) {
      inits.ensure(operation, pod);
    }
    operation.step("ask plugins");
    try (var _ = plugins.hold()) {
      plugins.runPod(pod);
      try {
        operation.step("commit");
        records.put(pod.id(), pod.record(), Durability.POWER_CUT);
        inventory.add(pod);
        operation.step("answer");
      } catch (Throwable e) {
        plugins.stopPod(pod);
        plugins.removePod(pod);
        throw e;
      }
    }
  }

  private static void makeLogDirectory(String path) {
    Path log = Path.of(path);
    if (!log.isAbsolute()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "make log directory",
          "log directory \"" + path + "\" is not absolute");
    }
    try {
      Files.createDirectories(log);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "make log directory", "cannot make " + log + ": " + e, e);
    }
  }

  /**
   * Takes back all that {@link #make} may have done; an error of a step does not stop the others.
   */
  private void undo(Pod pod, Throwable why) {
    labels.release(pod.record().labels());
    boolean committed = inventory.pods().contains(pod);
    if (committed) {
      inventory.remove(pod);
    }
    // From now on the end of its first process is no news.
    pod.record(pod.record().withPhase(PodRecord.Phase.STOPPING));
    Runnable release =
        () -> {
          inits.end(pod);
          records.remove(pod.id(), Durability.POWER_CUT);
          releaseById(podRef(pod), pod.record().cgroup(), pod.record().ownsCgroup());
          intents.remove(pod.id(), Durability.CRASH);
        };
    try {
      release.run();
    } catch (RuntimeException | OutOfMemoryError e) {
      leftovers.add("pod " + pod.id(), release);
      why.addSuppressed(e);
      log.error("undoing pod {} failed: {}", pod.id(), e.getMessage(), e);
    }
    PodMetadata name = pod.record().config().metadata();
    String step = why instanceof JrtException known ? known.step() : "run pod";
    wiring
        .events()
        .publish(
            new PodEvent.Failed(
                pod.id(), name.namespace(), name.name(), step, String.valueOf(why.getMessage())));
  }

  /**
   * Releases everything that carries a pod's id, whether it exists or not: what stop, undo and
   * recovery have in common.
   */
  void releaseById(PodRef pod, String cgroup, boolean ownsCgroup) {
    Releases releases = new Releases("release pod " + pod.sandboxId());
    releases.attempt(() -> inits.discard(pod.sandboxId()));
    releases.attempt(() -> wiring.network().detach(pod));
    releases.attempt(() -> namespaces.remove(pod.sandboxId()));
    releases.attempt(() -> directory.unmountSharedMemory(pod.sandboxId()));
    if (ownsCgroup) {
      releases.attempt(() -> wiring.cgroups().killAll(cgroup));
      releases.attempt(() -> wiring.cgroups().remove(cgroup));
    } else {
      String initGroup = wiring.cgroups().childPath(cgroup, pod.sandboxId());
      releases.attempt(() -> wiring.cgroups().killAll(initGroup));
      releases.attempt(() -> wiring.cgroups().remove(initGroup));
    }
    releases.attempt(() -> directory.remove(pod.sandboxId()));
    releases.finish();
  }

  private Map<String, String> sysctls(Pod pod) {
    PodConfig config = pod.record().config();
    Map<String, String> wanted = new HashMap<>();
    if (!pod.hostNetwork()) {
      wanted.putAll(wiring.config().defaultSysctls());
      if (pod.hasUserNamespace()) {
        // The range is written in the namespace's own ids, of which not all need to exist.
        wanted.remove("net.ipv4.ping_group_range");
      }
    }
    wanted.putAll(config.sysctls());
    return Sysctls.check(
        wanted, new Sysctls.Shared(pod.hostNetwork(), pod.hostIpc(), pod.hostNetwork()));
  }

  /** The parameters of the pod that must be written from inside a container: those of ipc. */
  Map<String, String> ipcSysctls(Pod pod) {
    Map<String, String> all = new HashMap<>(sysctls(pod));
    all.keySet().removeIf(path -> path.startsWith("net/"));
    return all;
  }

  private void setNetworkSysctls(Pod pod, Map<String, String> sysctls) {
    Map<String, String> network = new HashMap<>(sysctls);
    network.keySet().removeIf(path -> !path.startsWith("net/"));
    if (network.isEmpty()) {
      return;
    }
    try (Fd netns = namespaces.open(pod, NamespaceKind.NET).orElseThrow()) {
      wiring
          .kernel()
          .namespaces()
          .inNetns(
              netns,
              () -> {
                for (Map.Entry<String, String> entry : network.entrySet()) {
                  setSysctl(entry.getKey(), entry.getValue());
                }
                return true;
              });
    } catch (JrtException e) {
      throw e;
    } catch (Exception e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE,
          "set sysctls",
          "cannot set the pod's sysctls: " + e.getMessage(),
          e);
    }
  }

  private void setSysctl(String path, String value) {
    try {
      wiring.kernel().files().writeValue(Fd.CWD, "/proc/sys/" + path, value);
    } catch (KernelException e) {
      throw new JrtException(
          e.is(Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM)
              ? ErrorKind.UNAVAILABLE
              : ErrorKind.INVALID,
          "set sysctls",
          "cannot set sysctl %s to \"%s\": %s".formatted(path, value, e.getMessage()),
          e);
    }
  }

  static PodRef podRef(Pod pod) {
    PodMetadata name = pod.record().config().metadata();
    return new PodRef(pod.id(), name.name(), name.namespace(), name.uid());
  }

  AttachRequest attachRequest(Pod pod) {
    PodConfig config = pod.record().config();
    List<PortMapping> ports =
        config.portMappings().stream()
            .filter(port -> port.hostPort() > 0)
            .map(
                port ->
                    new PortMapping(
                        PortMapping.Protocol.valueOf(port.protocol().name()),
                        port.containerPort(),
                        port.hostPort(),
                        port.hostIp()))
            .toList();
    return new AttachRequest(
        podRef(pod),
        namespaces.path(pod.id(), NamespaceKind.NET),
        config.labels(),
        config.annotations(),
        ports,
        PodDirectory.dns(config),
        config.cgroupParent());
  }

  /** Stops a pod whose containers have ended; steps that were done before are done again. */
  void release(Operation operation, Pod pod) {
    if (pod.record().phase() == PodRecord.Phase.STOPPED) {
      return;
    }
    plugins.stopPod(pod);
    operation.step("end pod init");
    inits.end(pod);
    if (!pod.hostNetwork()) {
      operation.step("detach network");
      wiring.network().detach(podRef(pod));
      wiring.events().publish(new NetworkEvent.Detached(pod.id()));
    }
    operation.step("release namespaces");
    namespaces.remove(pod.id());
    operation.step("unmount shared memory");
    directory.unmountSharedMemory(pod.id());
    operation.step("commit");
    advance(pod, PodRecord.Phase.STOPPED);
  }

  /** A ready pod has lost what it stood on: it can only be stopped and removed from now on. */
  void lose(Pod pod, String why) {
    if (pod.isReady()) {
      log.warn("pod {} is not ready any more: {}", pod.id(), why);
      unready(pod, why);
    }
  }

  /** No container of the pod can be started from now on. */
  void unready(Pod pod, String why) {
    pod.lock().lock();
    try {
      if (!pod.isReady()) {
        return;
      }
      advance(pod, PodRecord.Phase.STOPPING);
    } finally {
      pod.lock().unlock();
    }
    wiring.events().publish(new PodEvent.Stopped(pod.id(), why));
  }

  /**
   * The next phase is true also where it cannot be stored: a full disk must not keep pods from
   * ending. Without it the next daemon sees that the namespaces are gone, and after a power cut no
   * pod runs, whatever its record says.
   */
  private void advance(Pod pod, PodRecord.Phase next) {
    pod.record(pod.record().withPhase(next));
    try {
      records.put(pod.id(), pod.record(), Durability.INTACT);
    } catch (JrtException e) {
      log.error("that pod {} is {} cannot be stored: {}", pod.id(), next, e.getMessage());
    }
  }

  /** Forgets a stopped pod without containers. */
  void forget(Operation operation, Pod pod) {
    operation.step("remove cgroup");
    if (pod.record().ownsCgroup()) {
      wiring.cgroups().remove(pod.record().cgroup());
    }
    operation.step("remove directory");
    directory.remove(pod.id());
    plugins.removePod(pod);
    operation.step("remove record");
    records.remove(pod.id(), Durability.POWER_CUT);
    inventory.remove(pod);
    labels.release(pod.record().labels());
    wiring.events().publish(new PodEvent.Removed(pod.id()));
  }

  /** Changes the pod's own limits; those of a cgroup that the kubelet owns are the kubelet's. */
  void update(Pod pod, LinuxResources overhead, LinuxResources resources) {
    plugins.updatePod(pod, overhead, resources);
    // The pod may lose its namespaces at any moment, and must not be ready again by this.
    pod.lock().lock();
    try {
      PodRecord now = pod.record();
      if (now.ownsCgroup() && pod.isReady()) {
        wiring.cgroups().update(now.cgroup(), resources);
      }
      PodConfig config = now.config();
      pod.record(
          now.withConfig(
              new PodConfig(
                  config.metadata(),
                  config.hostname(),
                  config.logDirectory(),
                  config.dns(),
                  config.portMappings(),
                  config.labels(),
                  config.annotations(),
                  config.cgroupParent(),
                  config.security(),
                  config.sysctls(),
                  Optional.of(overhead),
                  Optional.of(resources))));
      records.put(pod.id(), pod.record(), Durability.POWER_CUT);
    } finally {
      pod.lock().unlock();
    }
    plugins.podUpdated(pod);
    wiring
        .events()
        .publish(
            new PodEvent.Updated(
                pod.id(), Map.of("memory", Long.toString(resources.memoryLimit()))));
  }
}
