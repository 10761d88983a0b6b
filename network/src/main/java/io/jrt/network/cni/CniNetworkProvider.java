package io.jrt.network.cni;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.netlink.RouteNetlink;
import io.jrt.network.AttachRequest;
import io.jrt.network.Attachment;
import io.jrt.network.CniConfig;
import io.jrt.network.HostNamespace;
import io.jrt.network.HostPorts;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkStatus;
import io.jrt.network.PodRef;
import io.jrt.network.SandboxLocks;
import io.jrt.network.cni.AttachmentStore.Name;
import io.jrt.network.spi.NetworkContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Pods connected by CNI plugins (specification 1.1 and back to 0.3.1).
 *
 * <p>What is asked for a sandbox is stored before the first plugin runs and removed after the last
 * DEL, so that a crash in between leaks nothing: {@link #gc} runs DEL for every stored attachment
 * that nobody names, with the configuration of that time.
 */
public final class CniNetworkProvider implements NetworkProvider {
  private static final Logger LOG = LoggerFactory.getLogger(CniNetworkProvider.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String ATTACH = "attach network";
  private static final String DETACH = "detach network";
  private static final String CHECK = "check network";
  private static final String COLLECT = "collect networks";
  private static final String INTERFACE = "eth0";
  private static final int LOOPBACK = 1;
  private static final Duration STATUS_AGE = Duration.ofSeconds(5);

  /** More than a plugin needs that works, and less than one that hangs may take. */
  private static final Duration FIRST_RUN = Duration.ofSeconds(5);

  private final Kernel kernel;
  private final ConfigDirs configs;
  private final RunningPlugins running;
  private final PluginRunner runner;
  private final AttachmentStore attachments;
  private final HostPorts hostPorts;
  private final SandboxLocks locks = new SandboxLocks();
  private final FirstRuns firstRuns = new FirstRuns(FIRST_RUN);

  /** What the plugins said last, when, and for which network. */
  private record Answer(NetworkList list, NetworkStatus status, long nanoTime) {}

  private volatile @Nullable Answer lastAnswer;

  /** A provider that runs plugins in the daemon's own network namespace. */
  public CniNetworkProvider(NetworkContext context) {
    this(context, HostNamespace.own());
  }

  /**
   * @param host where plugins run
   */
  public CniNetworkProvider(NetworkContext context, HostNamespace host) {
    CniConfig config = context.config().cni();
    this.kernel = context.kernel();
    this.configs = new ConfigDirs(config.confDirs());
    this.running = new RunningPlugins(kernel, context.stateDir().resolve("cni-plugins"));
    this.runner = new PluginRunner(kernel, host, config.binDirs(), config.pluginTimeout(), running);
    this.attachments = AttachmentStore.open(context.rootDir().resolve("cni"), config.cacheDir());
    this.hostPorts = new HostPorts(host);
    for (CniAttachment attachment : attachments.all()) {
      hostPorts.restore(attachment.pod(), attachment.portMappings());
    }
  }

  @Override
  public String name() {
    return "cni";
  }

  @Override
  public NetworkStatus status() {
    Optional<NetworkList> list = configs.current();
    if (list.isEmpty()) {
      return NetworkStatus.notReady("cni: " + configs.problem());
    }
    Answer known = lastAnswer;
    if (known != null
        && known.list().equals(list.get())
        && System.nanoTime() - known.nanoTime() < STATUS_AGE.toNanos()) {
      return known.status();
    }
    NetworkStatus status;
    try {
      new Network(runner, list.get()).status();
      status = NetworkStatus.READY;
    } catch (PluginException e) {
      status = NetworkStatus.notReady(String.valueOf(e.getMessage()));
    }
    lastAnswer = new Answer(list.get(), status, System.nanoTime());
    return status;
  }

  @Override
  public Attachment attach(AttachRequest request) {
    return locks.with(request.pod().sandboxId(), () -> attachLocked(request));
  }

  private Attachment attachLocked(AttachRequest request) {
    PodRef pod = request.pod();
    running.awaitFormer(pod.sandboxId());
    Optional<CniAttachment> former = attachments.find(pod.sandboxId());
    if (former.isPresent()) {
      CniAttachment attachment = former.get();
      if (attachment.isComplete()
          && attachment.netns().equals(request.netns().toString())
          && kernel.namespaces().isPinned(request.netns())) {
        return answer(attachment);
      }
      release(attachment);
    }
    NetworkList list =
        configs
            .current()
            .orElseThrow(
                () -> new JrtException(ErrorKind.UNAVAILABLE, ATTACH, "cni: " + configs.problem()));
    Network network = new Network(runner, list);
    if (!request.portMappings().isEmpty() && !network.wants(Capabilities.PORT_MAPPINGS)) {
      LOG.warn(
          "pod {} asks for host ports, but no plugin of network {} serves them", pod, list.name());
    }
    setLoopbackUp(request.netns());
    CniAttachment planned =
        new CniAttachment(
            pod,
            request.netns().toString(),
            INTERFACE,
            list.text(),
            arguments(pod),
            Capabilities.of(request),
            JSON.createObjectNode(),
            request.portMappings());
    hostPorts.claim(pod, request.portMappings());
    try {
      attachments.put(planned);
    } catch (RuntimeException e) {
      hostPorts.release(pod.sandboxId());
      throw e;
    }
    try {
      kernel.failPoints().hit("attach-network.add");
      CniAttachment attachment = planned.with(network.add(planned, firstRuns));
      kernel.failPoints().hit("attach-network.note");
      attachments.put(attachment);
      attachments.cache(attachment, list);
      return answer(attachment);
    } catch (PluginException e) {
      throw undone(planned, error(ATTACH, pod, e));
    } catch (RuntimeException e) {
      throw undone(planned, e);
    }
  }

  private Attachment answer(CniAttachment attachment) {
    Attachment answer =
        CniResult.attachment(
            attachment.sandboxId(), attachment.interfaceName(), attachment.result());
    if (answer.ips().isEmpty()) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE,
          ATTACH,
          "network gave pod " + attachment.pod() + " no address on " + INTERFACE);
    }
    return answer;
  }

  /** Undoes a failed attachment; if that fails too, what is left is found by gc. */
  private RuntimeException undone(CniAttachment attachment, RuntimeException error) {
    try {
      release(attachments.find(attachment.sandboxId()).orElse(attachment));
    } catch (RuntimeException e) {
      error.addSuppressed(e);
    }
    return error;
  }

  /** What Kubernetes plugins depend on; CNI_ARGS has no way to write a semicolon. */
  private static String arguments(PodRef pod) {
    Map<String, String> arguments = new TreeMap<>();
    arguments.put("IgnoreUnknown", "1");
    arguments.put("K8S_POD_NAMESPACE", pod.namespace());
    arguments.put("K8S_POD_NAME", pod.name());
    arguments.put("K8S_POD_INFRA_CONTAINER_ID", pod.sandboxId());
    arguments.put("K8S_POD_UID", pod.uid());
    arguments.forEach(
        (key, value) -> {
          if (value.contains(";") || value.contains("=")) {
            throw new JrtException(
                ErrorKind.INVALID, ATTACH, key + " \"" + value + "\" cannot be told to plugins");
          }
        });
    return String.join(
        ";", arguments.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList());
  }

  private void setLoopbackUp(Path netns) {
    if (!kernel.namespaces().isPinned(netns)) {
      throw new JrtException(
          ErrorKind.NOT_FOUND, ATTACH, "network namespace " + netns + " does not exist");
    }
    try (Fd fd = kernel.namespaces().open(netns);
        RouteNetlink pod =
            HostNamespace.callIn(kernel, fd, ATTACH, () -> RouteNetlink.open(kernel))) {
      pod.run(List.of(pod.setUp(LOOPBACK)));
    } catch (KernelException e) {
      throw new JrtException(ErrorKind.INTERNAL, ATTACH, e.getMessage() + " in " + netns, e);
    }
  }

  @Override
  public void check(AttachRequest request) {
    CniAttachment attachment =
        attachments
            .find(request.pod().sandboxId())
            .filter(CniAttachment::isComplete)
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.NOT_FOUND, CHECK, "pod " + request.pod() + " is not attached"));
    locks.run(
        attachment.sandboxId(),
        () -> {
          try {
            new Network(runner, list(attachment)).check(attachment);
          } catch (PluginException e) {
            throw error(CHECK, attachment.pod(), e);
          }
        });
  }

  @Override
  public void detach(PodRef pod) {
    locks.run(pod.sandboxId(), () -> attachments.find(pod.sandboxId()).ifPresent(this::release));
  }

  /** Runs DEL to the end. If something failed the attachment stays, to be tried again. */
  private void release(CniAttachment attachment) {
    running.awaitFormer(attachment.sandboxId());
    Path netns = Path.of(attachment.netns());
    String path = kernel.namespaces().isPinned(netns) ? attachment.netns() : "";
    NetworkList list = list(attachment);
    List<PluginException> errors = new Network(runner, list).delete(attachment, path);
    kernel.failPoints().hit("detach-network.forget");
    if (!errors.isEmpty()) {
      JrtException error = error(DETACH, attachment.pod(), errors.getFirst());
      errors.stream().skip(1).forEach(error::addSuppressed);
      throw error;
    }
    attachments.remove(attachment, list);
    hostPorts.release(attachment.sandboxId());
  }

  private static NetworkList list(CniAttachment attachment) {
    try {
      return NetworkList.parse(attachment.network());
    } catch (NetworkList.Malformed e) {
      throw new JrtException(
          ErrorKind.DATA_LOSS,
          DETACH,
          "stored network of pod " + attachment.pod() + ": " + e.getMessage(),
          e);
    }
  }

  @Override
  public void gc(Set<String> validSandboxIds) {
    List<Throwable> errors = new ArrayList<>();
    for (CniAttachment attachment : attachments.all()) {
      String id = attachment.sandboxId();
      if (!validSandboxIds.contains(id)) {
        LOG.info("collecting network of pod {}", attachment.pod());
        try {
          locks.run(id, () -> attachments.find(id).ifPresent(this::release));
        } catch (RuntimeException e) {
          errors.add(e);
        }
      }
    }
    // The network may be shared with another runtime, whose attachments are in the cache too.
    configs
        .current()
        .ifPresent(
            list -> {
              Set<Name> valid = new HashSet<>(attachments.cached(list.name()));
              for (CniAttachment attachment : attachments.all()) {
                valid.add(new Name(attachment.sandboxId(), attachment.interfaceName()));
              }
              errors.addAll(new Network(runner, list).collect(List.copyOf(valid)));
            });
    if (!errors.isEmpty()) {
      JrtException error =
          new JrtException(
              ErrorKind.UNAVAILABLE,
              COLLECT,
              "cannot collect all networks: " + errors.getFirst().getMessage(),
              errors.getFirst());
      errors.stream().skip(1).forEach(error::addSuppressed);
      throw error;
    }
  }

  @Override
  public void cleanupAll() {
    gc(Set.of());
  }

  @Override
  public void close() {}

  private static JrtException error(String step, PodRef pod, PluginException e) {
    return new JrtException(e.kind(), step, "pod " + pod + ": " + e.getMessage(), e);
  }
}
