package io.jrt.server;

import io.jrt.core.cgroup.CgroupDriver;
import io.jrt.core.cgroup.CgroupManager;
import io.jrt.core.cgroup.CgroupfsDriver;
import io.jrt.core.cgroup.SystemdDriver;
import io.jrt.core.systemd.BusServiceManager;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import io.jrt.server.config.ContainersConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses who makes cgroups. */
final class CgroupDrivers {
  private static final Logger log = LoggerFactory.getLogger(CgroupDrivers.class);

  /** systemd is the first process where it has made this (sd_booted(3)). */
  private static final Path BOOTED = Path.of("/run/systemd/system");

  private static final Path BUS = Path.of("/run/dbus/system_bus_socket");

  private CgroupDrivers() {}

  /**
   * @param name of the daemon's own cgroup
   * @param closer gets what has to be closed
   */
  static CgroupDriver choose(
      ContainersConfig.Driver wanted,
      Kernel kernel,
      Path jrtInit,
      CgroupManager manager,
      String name,
      Closer closer) {
    boolean systemd =
        switch (wanted) {
          case SYSTEMD -> true;
          case CGROUPFS -> false;
          case AUTO -> manager.version() == 2 && Files.isDirectory(BOOTED) && Files.exists(BUS);
        };
    log.debug("cgroup driver {}: {}", wanted, systemd ? "systemd" : "cgroupfs");
    if (!systemd) {
      return new CgroupfsDriver(manager, "/" + name);
    }
    var bus = closer.add(new BusServiceManager(BusServiceManager.SYSTEM_BUS, ownUid()));
    return new SystemdDriver(kernel, jrtInit, manager, bus, name);
  }

  private static long ownUid() {
    try {
      return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (IOException | UnsupportedOperationException e) {
      throw new JrtException(
          ErrorKind.INTERNAL, "choose cgroup driver", "cannot tell the daemon's own user", e);
    }
  }
}
