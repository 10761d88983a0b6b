package io.jrt.server.nri;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.jrt.core.life.NodeRuntime;
import io.jrt.core.plugin.PluginContainer;
import io.jrt.core.plugin.PluginPod;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.nri.v1alpha1.ConfigureRequest;
import io.jrt.nri.v1alpha1.ConfigureResponse;
import io.jrt.nri.v1alpha1.Container;
import io.jrt.nri.v1alpha1.Empty;
import io.jrt.nri.v1alpha1.Event;
import io.jrt.nri.v1alpha1.PodSandbox;
import io.jrt.nri.v1alpha1.RegisterPluginRequest;
import io.jrt.nri.v1alpha1.SynchronizeRequest;
import io.jrt.nri.v1alpha1.SynchronizeResponse;
import io.jrt.nri.v1alpha1.UpdateContainersRequest;
import io.jrt.nri.v1alpha1.UpdateContainersResponse;
import io.jrt.server.config.NriConfig;
import io.jrt.server.rpc.SocketFile;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket at which NRI plugins come: root's alone, as a plugin can do all that root can.
 *
 * <p>A plugin says who it is, is configured, learns of every pod and container that is there, and
 * from then on takes part. Each of these steps has a time limit.
 */
public final class NriServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NriServer.class);
  private static final String STEP = "serve nri";
  private static final String PROTOCOL = "v0.12.0";
  private static final Pattern INDEX = Pattern.compile("[0-9]{2}");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final int ALL_EVENTS = (1 << (Event.LAST.getNumber() - 1)) - 1;

  /** About as much as fits into a message with room to spare. */
  private static final int SYNC_BYTES = 2 << 20;

  private final NriConfig config;
  private final NriPlugins plugins;
  private final NodeRuntime runtime;
  private final String version;
  private final ServerSocketChannel server;
  private final SocketFile file;
  private final Set<PluginLink> links = ConcurrentHashMap.newKeySet();

  private NriServer(
      NriConfig config,
      NriPlugins plugins,
      NodeRuntime runtime,
      String version,
      ServerSocketChannel server,
      SocketFile file) {
    this.config = config;
    this.plugins = plugins;
    this.runtime = runtime;
    this.version = version;
    this.server = server;
    this.file = file;
  }

  /**
   * Listens.
   *
   * @param plugins those that the runtime asks
   */
  public static NriServer start(
      NriConfig config, NriPlugins plugins, NodeRuntime runtime, String version) {
    SocketFile.Listening socket = SocketFile.listen(Path.of(config.socket()), "rw-------", STEP);
    NriServer started =
        new NriServer(config, plugins, runtime, version, socket.server(), socket.file());
    plugins.limiter(runtime::limitContainer);
    Thread.ofVirtual().name("nri-server").start(started::accept);
    return started;
  }

  private void accept() {
    while (server.isOpen()) {
      try {
        SocketChannel socket = server.accept();
        Thread.ofVirtual().name("nri-handshake").start(() -> welcome(socket));
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        log.warn("cannot take a plugin: {}", e.toString());
        pause();
      }
    }
  }

  /** Without descriptors the next try fails as well. */
  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void welcome(SocketChannel socket) {
    Visit visit = new Visit(socket);
    links.add(visit.link);
    visit.link.start();
    try {
      visit.take();
    } catch (CallFailure e) {
      log.warn("nri plugin {} does not take part: {}", visit.who(), e.getMessage());
      visit.link.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      visit.link.close();
    }
  }

  /** One plugin's coming, and what it asks while it is here. */
  private final class Visit implements PluginLink.Service {
    private final PluginLink link;
    private final BlockingQueue<RegisterPluginRequest> registered = new ArrayBlockingQueue<>(1);

    /** Known since it is configured: from then on it may ask for things. */
    private volatile Optional<Plugin> plugin = Optional.empty();

    private Visit(SocketChannel socket) {
      this.link = new PluginLink(socket, this);
    }

    /** Waits until it says who it is, and lets it in. */
    private void take() throws CallFailure, InterruptedException {
      RegisterPluginRequest asked =
          registered.poll(config.registrationTimeout().toMillis(), TimeUnit.MILLISECONDS);
      if (asked == null) {
        throw new CallFailure.Broken("it did not register");
      }
      Plugin known =
          new Plugin(
              asked.getPluginIdx(),
              asked.getPluginName(),
              configure(link),
              link,
              config.requestTimeout());
      plugin = Optional.of(known);
      plugins.admit(known, () -> synchronize(known));
      // It may have gone while it was let in.
      if (!links.contains(link)) {
        plugins.remove(link);
      }
    }

    @Override
    public Optional<Message> call(String method, ByteString payload)
        throws InvalidProtocolBufferException {
      return switch (method) {
        case "RegisterPlugin" -> {
          register(RegisterPluginRequest.parseFrom(payload));
          yield Optional.of(Empty.getDefaultInstance());
        }
        case "UpdateContainers" -> Optional.of(update(UpdateContainersRequest.parseFrom(payload)));
        default -> Optional.empty();
      };
    }

    private void register(RegisterPluginRequest asked) {
      if (!INDEX.matcher(asked.getPluginIdx()).matches()
          || !NAME.matcher(asked.getPluginName()).matches()) {
        throw new JrtException(
            ErrorKind.INVALID,
            STEP,
            "plugin index \"%s\" is not two digits, or its name \"%s\" is none"
                .formatted(asked.getPluginIdx(), asked.getPluginName()));
      }
      if (plugin.isPresent() || !registered.offer(asked)) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION, STEP, "this plugin has registered before");
      }
    }

    private Message update(UpdateContainersRequest asked) {
      Plugin asking =
          plugin.orElseThrow(
              () ->
                  new JrtException(
                      ErrorKind.FAILED_PRECONDITION, STEP, "this plugin has not registered"));
      if (asked.getEvictCount() > 0) {
        throw new JrtException(
            ErrorKind.UNIMPLEMENTED, STEP, "evicting containers is the kubelet's work");
      }
      return UpdateContainersResponse.newBuilder()
          .addAllFailed(plugins.update(asking.fullName(), asked.getUpdateList()))
          .build();
    }

    private String who() {
      return plugin.map(Plugin::fullName).orElse("that nobody knows yet");
    }

    @Override
    public void ended() {
      links.remove(link);
      plugins.remove(link);
    }
  }

  /** Tells a plugin whom it speaks with; answers the events that it wants to hear of. */
  private int configure(PluginLink link) throws CallFailure {
    Duration patience = config.registrationTimeout();
    ConfigureResponse configured =
        link.call(
            "Configure",
            ConfigureRequest.newBuilder()
                .setRuntimeName("jrt")
                .setRuntimeVersion(version)
                .setRegistrationTimeout(patience.toMillis())
                .setRequestTimeout(config.requestTimeout().toMillis())
                .setNRIVersion(PROTOCOL)
                .build(),
            ConfigureResponse.parser(),
            patience);
    int events = configured.getEvents() == 0 ? ALL_EVENTS : configured.getEvents();
    if ((events & ~ALL_EVENTS) != 0) {
      throw new CallFailure.Broken(
          "it wants events 0x%x, of which jrt does not know all".formatted(events));
    }
    return events;
  }

  /** Tells all that is there, in as many messages as that takes. */
  private void synchronize(Plugin plugin) throws CallFailure {
    List<SynchronizeRequest> messages = new ArrayList<>();
    SynchronizeRequest.Builder next = SynchronizeRequest.newBuilder();
    int bytes = 0;
    for (PluginPod pod : runtime.pluginPods()) {
      PodSandbox told = Views.pod(pod);
      bytes += told.getSerializedSize();
      if (bytes > SYNC_BYTES) {
        messages.add(next.setMore(true).build());
        next = SynchronizeRequest.newBuilder();
        bytes = told.getSerializedSize();
      }
      next.addPods(told);
    }
    for (PluginContainer container : runtime.pluginContainers()) {
      Container told = Views.container(container);
      bytes += told.getSerializedSize();
      if (bytes > SYNC_BYTES) {
        messages.add(next.setMore(true).build());
        next = SynchronizeRequest.newBuilder();
        bytes = told.getSerializedSize();
      }
      next.addContainers(told);
    }
    messages.add(next.build());
    for (SynchronizeRequest message : messages) {
      SynchronizeResponse answer =
          plugin
              .link()
              .call(
                  "Synchronize",
                  message,
                  SynchronizeResponse.parser(),
                  config.registrationTimeout());
      if (answer.getMore() != message.getMore()) {
        throw new CallFailure.Broken("it cannot take all pods and containers in several messages");
      }
      if (answer.getUpdateCount() > 0) {
        plugins.updateSoon(Map.of(plugin.fullName(), answer.getUpdateList()));
      }
    }
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      log.warn("closing the nri socket failed: {}", e.toString());
    }
    file.remove();
    links.forEach(PluginLink::close);
  }
}
