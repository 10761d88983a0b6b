package io.jrt.server.nri;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.jrt.core.LinuxResources;
import io.jrt.core.plugin.LifecyclePlugins;
import io.jrt.core.plugin.PluginContainer;
import io.jrt.core.plugin.PluginPod;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.nri.v1alpha1.Container;
import io.jrt.nri.v1alpha1.ContainerAdjustment;
import io.jrt.nri.v1alpha1.ContainerUpdate;
import io.jrt.nri.v1alpha1.CreateContainerRequest;
import io.jrt.nri.v1alpha1.CreateContainerResponse;
import io.jrt.nri.v1alpha1.Empty;
import io.jrt.nri.v1alpha1.Event;
import io.jrt.nri.v1alpha1.OwningPlugins;
import io.jrt.nri.v1alpha1.PluginInstance;
import io.jrt.nri.v1alpha1.PodSandbox;
import io.jrt.nri.v1alpha1.PostCreateContainerRequest;
import io.jrt.nri.v1alpha1.PostStartContainerRequest;
import io.jrt.nri.v1alpha1.PostUpdateContainerRequest;
import io.jrt.nri.v1alpha1.PostUpdatePodSandboxRequest;
import io.jrt.nri.v1alpha1.RemoveContainerRequest;
import io.jrt.nri.v1alpha1.RemovePodSandboxRequest;
import io.jrt.nri.v1alpha1.RunPodSandboxRequest;
import io.jrt.nri.v1alpha1.StartContainerRequest;
import io.jrt.nri.v1alpha1.StateChangeEvent;
import io.jrt.nri.v1alpha1.StopContainerRequest;
import io.jrt.nri.v1alpha1.StopContainerResponse;
import io.jrt.nri.v1alpha1.StopPodSandboxRequest;
import io.jrt.nri.v1alpha1.UpdateContainerRequest;
import io.jrt.nri.v1alpha1.UpdateContainerResponse;
import io.jrt.nri.v1alpha1.UpdatePodSandboxRequest;
import io.jrt.nri.v1alpha1.ValidateContainerAdjustmentRequest;
import io.jrt.nri.v1alpha1.ValidateContainerAdjustmentResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The NRI plugins that are connected, called in the order of their indexes.
 *
 * <p>A plugin that says no ends the operation. One that does not answer in time, or speaks
 * nonsense, is let go, and the operation goes on without it: it connects again when it is well.
 */
public final class NriPlugins implements LifecyclePlugins {
  static final String STEP = "ask plugins";
  private static final Logger log = LoggerFactory.getLogger(NriPlugins.class);

  private final List<Plugin> plugins = new CopyOnWriteArrayList<>();

  /** Held for writing while a plugin that came learns what is there: see {@link #hold}. */
  private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();

  private volatile BiConsumer<String, LinuxResources> limiter =
      (id, limits) -> {
        throw new JrtException(ErrorKind.UNAVAILABLE, STEP, "the daemon starts");
      };

  /** Who sets other limits of running containers when plugins ask for that. */
  void limiter(BiConsumer<String, LinuxResources> setter) {
    limiter = setter;
  }

  /** Lets a plugin take part, after it was told of all that is there; nothing happens meanwhile. */
  void admit(Plugin plugin, Introduction introduction) throws CallFailure {
    gate.writeLock().lock();
    try {
      introduction.tell();
      // Those of one index and name may be two: the one that was there may not have seen its end.
      List<Plugin> sorted = new ArrayList<>(plugins);
      sorted.add(plugin);
      sorted.sort(null);
      plugins.clear();
      plugins.addAll(sorted);
    } finally {
      gate.writeLock().unlock();
    }
    log.info("nri plugin {} takes part", plugin.fullName());
  }

  /** See {@link #admit}. */
  interface Introduction {
    void tell() throws CallFailure;
  }

  void remove(PluginLink link) {
    List<Plugin> gone = plugins.stream().filter(plugin -> plugin.link() == link).toList();
    for (Plugin plugin : gone) {
      if (plugins.remove(plugin)) {
        log.info("nri plugin {} has gone", plugin.fullName());
      }
    }
  }

  @Override
  public Hold hold() {
    gate.readLock().lock();
    return gate.readLock()::unlock;
  }

  private static JrtException refused(Plugin plugin, String what, CallFailure.Refused why) {
    return new JrtException(
        ErrorKind.FAILED_PRECONDITION,
        STEP,
        "nri plugin %s refuses %s: %s".formatted(plugin.fullName(), what, why.getMessage()),
        why);
  }

  /** What becomes of an operation when a plugin says no to it. */
  private interface Refusal {
    void of(Plugin plugin, String what, CallFailure.Refused why);
  }

  private static void ends(Plugin plugin, String what, CallFailure.Refused why) {
    throw refused(plugin, what, why);
  }

  /** It has happened: nothing takes it back. */
  private static void isLogged(Plugin plugin, String what, CallFailure.Refused why) {
    log.warn("nri plugin {} says of {}: {}", plugin.fullName(), what, why.getMessage());
  }

  /** The call of an event: {@code RunPodSandbox} of {@code RUN_POD_SANDBOX}. */
  private static String method(Event event) {
    return Arrays.stream(event.name().split("_", -1))
        .map(word -> word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT))
        .collect(Collectors.joining());
  }

  /** One call to one plugin; empty when it does not take part in this. */
  private <T> Optional<T> call(Plugin plugin, Event event, Message request, Parser<T> parser)
      throws CallFailure.Refused {
    return call(plugin, event, method(event), request, parser);
  }

  private <T> Optional<T> call(
      Plugin plugin, Event event, String method, Message request, Parser<T> parser)
      throws CallFailure.Refused {
    if (!plugin.wants(event)) {
      return Optional.empty();
    }
    try {
      return Optional.of(plugin.call(method, request, parser));
    } catch (CallFailure.Refused e) {
      if (e.isUnimplemented()) {
        return Optional.empty();
      }
      throw e;
    } catch (CallFailure e) {
      log.warn("nri plugin {} is let go: {}", plugin.fullName(), e.getMessage());
      plugin.link().close();
      return Optional.empty();
    }
  }

  /** Tells of an event: by its own call, and those that are older than that by a state change. */
  private void tell(
      Event event, Message request, StateChangeEvent.Builder old, String what, Refusal refusal) {
    try (var _ = hold()) {
      for (Plugin plugin : plugins) {
        try {
          if (call(plugin, event, request, Empty.parser()).isEmpty()) {
            call(plugin, event, "StateChange", old.setEvent(event).build(), Empty.parser());
          }
        } catch (CallFailure.Refused e) {
          refusal.of(plugin, what, e);
        }
      }
    }
  }

  private void tell(
      Event event,
      PluginPod pod,
      Function<PodSandbox, Message> request,
      String what,
      Refusal refusal) {
    if (!nobody()) {
      PodSandbox told = Views.pod(pod);
      tell(event, request.apply(told), StateChangeEvent.newBuilder().setPod(told), what, refusal);
    }
  }

  private void tell(
      Event event,
      PluginPod pod,
      PluginContainer container,
      BiFunction<PodSandbox, Container, Message> request,
      String what,
      Refusal refusal) {
    if (!nobody()) {
      PodSandbox sandbox = Views.pod(pod);
      Container told = Views.container(container);
      tell(
          event,
          request.apply(sandbox, told),
          StateChangeEvent.newBuilder().setPod(sandbox).setContainer(told),
          what,
          refusal);
    }
  }

  private boolean nobody() {
    return plugins.isEmpty() && !gate.isWriteLocked();
  }

  @Override
  public void runPod(PluginPod pod) {
    tell(
        Event.RUN_POD_SANDBOX,
        pod,
        told -> RunPodSandboxRequest.newBuilder().setPod(told).build(),
        "pod " + pod.id(),
        NriPlugins::ends);
  }

  @Override
  public void stopPod(PluginPod pod) {
    tell(
        Event.STOP_POD_SANDBOX,
        pod,
        told -> StopPodSandboxRequest.newBuilder().setPod(told).build(),
        "the end of pod " + pod.id(),
        NriPlugins::isLogged);
  }

  @Override
  public void removePod(PluginPod pod) {
    tell(
        Event.REMOVE_POD_SANDBOX,
        pod,
        told -> RemovePodSandboxRequest.newBuilder().setPod(told).build(),
        "the removal of pod " + pod.id(),
        NriPlugins::isLogged);
  }

  @Override
  public void updatePod(PluginPod pod, LinuxResources overhead, LinuxResources resources) {
    tell(
        Event.UPDATE_POD_SANDBOX,
        pod,
        told ->
            UpdatePodSandboxRequest.newBuilder()
                .setPod(told)
                .setOverheadLinuxResources(Resources.told(overhead))
                .setLinuxResources(Resources.told(resources))
                .build(),
        "other limits of pod " + pod.id(),
        NriPlugins::ends);
  }

  @Override
  public void podUpdated(PluginPod pod) {
    tell(
        Event.POST_UPDATE_POD_SANDBOX,
        pod,
        told -> PostUpdatePodSandboxRequest.newBuilder().setPod(told).build(),
        "other limits of pod " + pod.id(),
        NriPlugins::isLogged);
  }

  @Override
  public PluginContainer createContainer(PluginPod pod, PluginContainer container) {
    if (nobody()) {
      return container;
    }
    String what =
        "container %s of pod %s".formatted(container.config().metadata().name(), pod.id());
    Adjuster adjuster = new Adjuster(container);
    Map<String, List<ContainerUpdate>> updates = new LinkedHashMap<>();
    ContainerAdjustment.Builder all = ContainerAdjustment.newBuilder();
    try (var _ = hold()) {
      for (Plugin plugin : plugins) {
        CreateContainerRequest request =
            CreateContainerRequest.newBuilder()
                .setPod(Views.pod(pod))
                .setContainer(Views.container(adjuster.container()))
                .build();
        try {
          var answer =
              call(plugin, Event.CREATE_CONTAINER, request, CreateContainerResponse.parser());
          if (answer.isPresent()) {
            adjuster.add(answer.get().getAdjust(), plugin.fullName());
            all.mergeFrom(answer.get().getAdjust());
            add(updates, plugin, answer.get().getUpdateList());
            if (answer.get().getEvictCount() > 0) {
              log.warn("nri plugin {} asks for evictions: the kubelet's work", plugin.fullName());
            }
          }
        } catch (CallFailure.Refused e) {
          throw refused(plugin, what, e);
        }
      }
      validate(pod, container, all.build(), updates, adjuster.owners(), what);
    }
    updateSoon(updates);
    return adjuster.container();
  }

  private void validate(
      PluginPod pod,
      PluginContainer container,
      ContainerAdjustment adjustment,
      Map<String, List<ContainerUpdate>> updates,
      Owners owners,
      String what) {
    ValidateContainerAdjustmentRequest.Builder request =
        ValidateContainerAdjustmentRequest.newBuilder()
            .setPod(Views.pod(pod))
            .setContainer(Views.container(container))
            .setAdjust(adjustment)
            .addAllUpdate(updates.values().stream().flatMap(List::stream).toList())
            .setOwners(OwningPlugins.newBuilder().putOwners(container.id(), owners.told()));
    for (Plugin plugin : plugins) {
      request.addPlugins(
          PluginInstance.newBuilder().setName(plugin.name()).setIndex(plugin.index()));
    }
    for (Plugin plugin : plugins) {
      try {
        var answer =
            call(
                plugin,
                Event.VALIDATE_CONTAINER_ADJUSTMENT,
                request.build(),
                ValidateContainerAdjustmentResponse.parser());
        if (answer.isPresent() && answer.get().getReject()) {
          throw refused(plugin, what, new CallFailure.Refused(0, answer.get().getReason()));
        }
      } catch (CallFailure.Refused e) {
        throw refused(plugin, what, e);
      }
    }
  }

  private static void add(
      Map<String, List<ContainerUpdate>> updates, Plugin plugin, List<ContainerUpdate> more) {
    if (!more.isEmpty()) {
      updates.computeIfAbsent(plugin.fullName(), _ -> new ArrayList<>()).addAll(more);
    }
  }

  /**
   * Sets other limits of other containers, on a thread of their own: who calls holds what their
   * operations may wait for. What fails is told.
   *
   * @param updates by the plugin that wants them
   */
  void updateSoon(Map<String, List<ContainerUpdate>> updates) {
    if (!updates.isEmpty()) {
      Thread.ofVirtual().name("nri-update").start(() -> updates.forEach(this::update));
    }
  }

  /** Tries every update that a plugin asks for; answers those that failed. */
  List<ContainerUpdate> update(String plugin, List<ContainerUpdate> updates) {
    List<ContainerUpdate> failed = new ArrayList<>();
    for (ContainerUpdate update : updates) {
      try {
        limiter.accept(
            update.getContainerId(),
            Resources.over(LinuxResources.NONE, update.getLinux().getResources(), plugin));
      } catch (JrtException e) {
        if (!update.getIgnoreFailure()) {
          log.warn(
              "limits of container {}, as nri plugin {} wants them: {}",
              update.getContainerId(),
              plugin,
              e.getMessage());
        }
        failed.add(update);
      }
    }
    return failed;
  }

  @Override
  public void containerCreated(PluginPod pod, PluginContainer container) {
    tell(
        Event.POST_CREATE_CONTAINER,
        pod,
        container,
        (sandbox, told) ->
            PostCreateContainerRequest.newBuilder().setPod(sandbox).setContainer(told).build(),
        "container " + container.id(),
        NriPlugins::isLogged);
  }

  @Override
  public void startContainer(PluginPod pod, PluginContainer container) {
    tell(
        Event.START_CONTAINER,
        pod,
        container,
        (sandbox, told) ->
            StartContainerRequest.newBuilder().setPod(sandbox).setContainer(told).build(),
        "the start of container " + container.id(),
        NriPlugins::ends);
  }

  @Override
  public void containerStarted(PluginPod pod, PluginContainer container) {
    tell(
        Event.POST_START_CONTAINER,
        pod,
        container,
        (sandbox, told) ->
            PostStartContainerRequest.newBuilder().setPod(sandbox).setContainer(told).build(),
        "the start of container " + container.id(),
        NriPlugins::isLogged);
  }

  @Override
  public LinuxResources updateContainer(
      PluginPod pod, PluginContainer container, LinuxResources resources) {
    if (nobody()) {
      return resources;
    }
    LinuxResources wanted = resources;
    Owners owners = new Owners();
    Map<String, List<ContainerUpdate>> others = new LinkedHashMap<>();
    try (var _ = hold()) {
      for (Plugin plugin : plugins) {
        UpdateContainerRequest request =
            UpdateContainerRequest.newBuilder()
                .setPod(Views.pod(pod))
                .setContainer(Views.container(container))
                .setLinuxResources(Resources.told(wanted))
                .build();
        try {
          var answer =
              call(plugin, Event.UPDATE_CONTAINER, request, UpdateContainerResponse.parser());
          for (ContainerUpdate update :
              answer.map(UpdateContainerResponse::getUpdateList).orElse(List.of())) {
            if (update.getContainerId().equals(container.id())) {
              var limits = update.getLinux().getResources();
              Adjuster.claim(limits, owners, plugin.fullName());
              wanted = Resources.over(wanted, limits, plugin.fullName());
            } else {
              add(others, plugin, List.of(update));
            }
          }
        } catch (CallFailure.Refused e) {
          throw refused(plugin, "other limits of container " + container.id(), e);
        }
      }
    }
    updateSoon(others);
    return wanted;
  }

  @Override
  public void containerUpdated(PluginPod pod, PluginContainer container) {
    tell(
        Event.POST_UPDATE_CONTAINER,
        pod,
        container,
        (sandbox, told) ->
            PostUpdateContainerRequest.newBuilder().setPod(sandbox).setContainer(told).build(),
        "other limits of container " + container.id(),
        NriPlugins::isLogged);
  }

  @Override
  public void containerStopped(PluginPod pod, PluginContainer container) {
    if (nobody()) {
      return;
    }
    StopContainerRequest request =
        StopContainerRequest.newBuilder()
            .setPod(Views.pod(pod))
            .setContainer(Views.container(container))
            .build();
    Map<String, List<ContainerUpdate>> updates = new LinkedHashMap<>();
    try (var _ = hold()) {
      for (Plugin plugin : plugins) {
        try {
          call(plugin, Event.STOP_CONTAINER, request, StopContainerResponse.parser())
              .ifPresent(answer -> add(updates, plugin, answer.getUpdateList()));
        } catch (CallFailure.Refused e) {
          isLogged(plugin, "the end of container " + container.id(), e);
        }
      }
    }
    updateSoon(updates);
  }

  @Override
  public void removeContainer(PluginPod pod, PluginContainer container) {
    tell(
        Event.REMOVE_CONTAINER,
        pod,
        container,
        (sandbox, told) ->
            RemoveContainerRequest.newBuilder().setPod(sandbox).setContainer(told).build(),
        "the removal of container " + container.id(),
        NriPlugins::isLogged);
  }
}
