package io.jrt.server.systemd;

import io.jrt.linux.KernelException;
import io.jrt.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how the daemon is (sd_notify): ready, reloading, stopping, a line of status, and
 * that it is alive. Without {@code NOTIFY_SOCKET} nothing is told.
 */
public final class Systemd {
  private static final Logger log = LoggerFactory.getLogger(Systemd.class);

  private final Sockets sockets;
  private final String socket;
  private final Duration watchdog;
  private volatile @Nullable Thread heartbeat;

  /**
   * @param environment the process's
   */
  public Systemd(Sockets sockets, Map<String, String> environment) {
    this.sockets = sockets;
    this.socket = environment.getOrDefault("NOTIFY_SOCKET", "");
    this.watchdog = watchdog(environment);
  }

  /** The time within which systemd wants a sign of life; zero when it wants none. */
  public Duration watchdog() {
    return socket.isEmpty() ? Duration.ZERO : watchdog;
  }

  /**
   * Begins to give signs of life, if systemd wants any.
   *
   * @param alive asked before each one; systemd restarts a daemon that gives none
   */
  public void watch(BooleanSupplier alive) {
    if (!watchdog().isZero()) {
      heartbeat = Thread.ofVirtual().name("systemd-watchdog").start(() -> beat(alive));
    }
  }

  /** The time between two signs of life that systemd asks for, if it is this process's. */
  private static Duration watchdog(Map<String, String> environment) {
    String pid = environment.getOrDefault("WATCHDOG_PID", "");
    String micros = environment.getOrDefault("WATCHDOG_USEC", "");
    boolean mine = pid.isEmpty() || pid.equals(Long.toString(ProcessHandle.current().pid()));
    return mine && micros.matches("[0-9]{1,15}")
        ? Duration.ofNanos(Long.parseLong(micros) * 1000)
        : Duration.ZERO;
  }

  /** It serves. */
  public void ready(String status) {
    tell("READY=1\nSTATUS=" + oneLine(status));
  }

  /** It reads its configuration; {@link #ready} must follow. */
  public void reloading() {
    tell("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
  }

  /** It goes. */
  public void stopping() {
    tell("STOPPING=1");
  }

  /** A line for {@code systemctl status}. */
  public void status(String status) {
    tell("STATUS=" + oneLine(status));
  }

  private static String oneLine(String text) {
    return text.replace('\n', ' ');
  }

  private void beat(BooleanSupplier alive) {
    try {
      while (true) {
        Thread.sleep(watchdog.dividedBy(3));
        if (alive.getAsBoolean()) {
          tell("WATCHDOG=1");
        } else {
          log.error("the daemon does not answer its own check: no sign of life for systemd");
        }
      }
    } catch (InterruptedException e) {
      log.debug("no more signs of life: the daemon goes");
    }
  }

  private void tell(String state) {
    if (socket.isEmpty()) {
      return;
    }
    try {
      sockets.sendToUnix(
          socket, ByteBuffer.wrap(state.getBytes(StandardCharsets.UTF_8)), List.of());
    } catch (KernelException e) {
      log.warn("cannot tell systemd at {}: {}", socket, e.getMessage());
    }
  }

  /** Gives no more signs of life: the daemon goes. */
  public void unwatch() {
    Thread beating = heartbeat;
    if (beating != null) {
      beating.interrupt();
    }
  }
}
