package io.jrt.server;

import io.jrt.errors.JrtException;
import io.jrt.events.DaemonEvent;
import io.jrt.events.Events;
import io.jrt.server.config.Configuration;
import io.jrt.server.rpc.Statuses;
import io.jrt.server.systemd.Systemd;
import java.lang.reflect.Proxy;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the configuration anew, on SIGHUP or when it is asked to. */
final class Reload implements Supplier<Configuration.Reloaded> {
  private static final Logger log = LoggerFactory.getLogger(Reload.class);

  private final Configuration configuration;
  private final Systemd systemd;
  private final Events events;

  Reload(Configuration configuration, Systemd systemd, Events events) {
    this.configuration = configuration;
    this.systemd = systemd;
    this.events = events;
  }

  @Override
  public Configuration.Reloaded get() {
    systemd.reloading();
    String status = "serves " + configuration.current().daemon().socket();
    try {
      Configuration.Reloaded reloaded = configuration.reload();
      log.info("read {} anew: changed {}", configuration.file(), reloaded.changed());
      if (!reloaded.needRestart().isEmpty()) {
        log.warn("only a restart puts in force: {}", reloaded.needRestart());
      }
      events.publish(new DaemonEvent.ConfigReloaded(configuration.file().toString()));
      return reloaded;
    } catch (JrtException e) {
      status = "the configuration is bad, the old one stays: " + Statuses.sentence(e);
      throw e;
    } finally {
      systemd.ready(status);
    }
  }

  /**
   * Listens for SIGHUP. By reflection, because the one way to hear a signal in Java is a class that
   * javac warns of unconditionally.
   */
  @SuppressWarnings("ReferenceEquality") // a proxy is equal to itself alone
  void onHangUp() {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object listener =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (proxy, method, arguments) ->
                  switch (method.getName()) {
                    case "handle" -> {
                      Thread.ofVirtual().name("reload").start(this::quietly);
                      yield null;
                    }
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> arguments != null && proxy == arguments[0];
                    default -> "reload on SIGHUP";
                  });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance("HUP"), listener);
    } catch (ReflectiveOperationException e) {
      log.warn("SIGHUP will not be heard; 'jrt config reload' does the same", e);
    }
  }

  private void quietly() {
    try {
      get();
    } catch (JrtException e) {
      log.error("the configuration is bad, the old one stays: {}", Statuses.sentence(e));
    }
  }
}
