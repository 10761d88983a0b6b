package io.jrt.core.life;

import io.jrt.core.ContainerState;
import java.time.Duration;

/**
 * Looks now and then whether the containers that were granted devices may still use them, for
 * service managers rewrite the rules of cgroups when they are reloaded.
 */
final class DeviceWatch implements AutoCloseable {
  private final Inventory inventory;
  private final ContainerRuns runs;
  private final Duration interval;
  private final Thread thread;

  DeviceWatch(Inventory inventory, ContainerRuns runs, Duration interval) {
    this.inventory = inventory;
    this.runs = runs;
    this.interval = interval;
    this.thread = Thread.ofVirtual().name("device rules").start(this::watch);
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(interval);
        look();
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    for (Container container : inventory.containers()) {
      if (container.grantedDevices().isEmpty()) {
        continue;
      }
      container.lock().lock();
      try {
        if (container.state() instanceof ContainerState.Running) {
          runs.restoreDevices(container);
        }
      } finally {
        container.lock().unlock();
      }
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
