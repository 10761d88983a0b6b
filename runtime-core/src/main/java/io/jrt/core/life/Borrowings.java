package io.jrt.core.life;

import io.jrt.core.device.DeviceInjection;
import io.jrt.core.device.NetDevices;
import io.jrt.core.device.ResourceControl;
import io.jrt.core.store.Layout;
import io.jrt.core.store.RecordStore;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.NamespaceKind;
import io.jrt.linux.WholeFile.Durability;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a container has of the node that nobody else can have meanwhile: network interfaces, and its
 * class of cache and memory bandwidth. It is written down before it is taken, and given back at the
 * container's end, by a later daemon if need be.
 */
final class Borrowings {
  private static final String KEY = "borrowed";

  private final Wiring wiring;
  private final PodNamespaces namespaces;
  private final NetDevices netDevices;
  private final ResourceControl resourceControl;

  /** What a container has. */
  record Borrowed(
      String podId, List<NetDevices.Lent> netDevices, Optional<ResourceControl.Group> group) {}

  Borrowings(Wiring wiring, PodNamespaces namespaces) {
    this.wiring = wiring;
    this.namespaces = namespaces;
    this.netDevices = new NetDevices(wiring.kernel());
    this.resourceControl =
        new ResourceControl(wiring.config().devices().hostRoot().resolve("sys/fs/resctrl"));
  }

  private RecordStore<Borrowed> records(String containerId) {
    return new RecordStore<>(
        wiring.layout().devices(containerId).resolve(KEY),
        KEY,
        1,
        Borrowed.class,
        e -> e,
        wiring.failPoints());
  }

  /** Takes what devices ask for; the class is entered later, by {@link #enter}. */
  void take(Pod pod, String containerId, DeviceInjection injection) {
    if (injection.netDevices().isEmpty() && injection.intelRdt().isEmpty()) {
      return;
    }
    if (!injection.netDevices().isEmpty() && pod.hostNetwork()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "move network devices",
          "%s has a network device, and the pod has the node's network"
              .formatted(injection.netDevices().getFirst().origin()));
    }
    Optional<ResourceControl.Group> group =
        injection.intelRdt().map(rdt -> resourceControl.plan(rdt, containerId));
    Layout.makeDirectory(wiring.layout().devices(containerId));
    if (injection.netDevices().isEmpty()) {
      records(containerId).put(KEY, new Borrowed(pod.id(), List.of(), group), Durability.CRASH);
      return;
    }
    Path pinned = namespaces.path(pod.id(), NamespaceKind.NET);
    try (Fd netns = wiring.kernel().namespaces().open(pinned)) {
      List<NetDevices.Lent> lent = netDevices.look(injection.netDevices(), netns);
      records(containerId).put(KEY, new Borrowed(pod.id(), lent, group), Durability.CRASH);
      netDevices.lend(lent, netns);
    }
  }

  /** Puts the process that is to be the container's into its class. */
  void enter(String containerId, DeviceInjection injection, int pid) {
    injection
        .intelRdt()
        .ifPresent(
            rdt ->
                records(containerId).load().records().stream()
                    .flatMap(borrowed -> borrowed.group().stream())
                    .forEach(group -> resourceControl.apply(rdt, group, containerId, pid)));
  }

  /** Gives everything back; the container has no process any more. */
  void giveBack(String containerId) {
    if (!Files.isDirectory(wiring.layout().devices(containerId).resolve(KEY))) {
      return;
    }
    Releases releases = new Releases("give back devices of container " + containerId);
    for (Borrowed borrowed : records(containerId).load().records()) {
      borrowed
          .group()
          .ifPresent(group -> releases.attempt(() -> resourceControl.remove(group, containerId)));
      Path netns = namespaces.path(borrowed.podId(), NamespaceKind.NET);
      // With the namespace the kernel has given back what it had.
      if (!borrowed.netDevices().isEmpty() && wiring.kernel().namespaces().isPinned(netns)) {
        releases.attempt(
            () -> {
              try (Fd fd = wiring.kernel().namespaces().open(netns)) {
                netDevices.giveBack(borrowed.netDevices(), fd);
              }
            });
      }
    }
    releases.finish();
  }
}
