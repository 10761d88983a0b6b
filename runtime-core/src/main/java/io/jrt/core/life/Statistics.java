package io.jrt.core.life;

import io.jrt.core.ContainerMeasurements;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStats;
import io.jrt.core.CpuStats;
import io.jrt.core.FilesystemSize;
import io.jrt.core.FilesystemStats;
import io.jrt.core.HugepageStats;
import io.jrt.core.IoStats;
import io.jrt.core.LinuxResources;
import io.jrt.core.Measurement;
import io.jrt.core.MemoryStats;
import io.jrt.core.NetworkStats;
import io.jrt.core.PodMeasurements;
import io.jrt.core.PodStats;
import io.jrt.core.SwapStats;
import io.jrt.core.cgroup.CgroupStats;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.PodRecord;
import io.jrt.errors.JrtException;
import io.jrt.image.FsUsage;
import io.jrt.linux.Fd;
import io.jrt.linux.KernelException;
import io.jrt.linux.NamespaceKind;
import io.jrt.linux.StatFs;
import io.jrt.volumes.VolumeUsage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What pods and containers use, from the kernel's own counters. */
final class Statistics {
  private static final Logger log = LoggerFactory.getLogger(Statistics.class);

  private final Wiring wiring;
  private final Inventory inventory;
  private final PodNamespaces namespaces;
  private final WritableLayers layers;
  private final BlockDevices devices = new BlockDevices();
  private final Map<String, Sample> last = new ConcurrentHashMap<>();

  private record Sample(Instant at, long cpuNanos, OptionalLong rate) {}

  Statistics(Wiring wiring, Inventory inventory, PodNamespaces namespaces, WritableLayers layers) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.namespaces = namespaces;
    this.layers = layers;
  }

  ContainerStats of(Container container) {
    ContainerRecord record = container.record();
    Optional<CgroupStats> stats =
        container.state() instanceof ContainerState.Running
            ? wiring.cgroups().stats(record.cgroup())
            : Optional.empty();
    return new ContainerStats(
        record.id(),
        record.podId(),
        record.config().metadata(),
        record.config().labels(),
        record.config().annotations(),
        stats.flatMap(now -> cpu(record.id(), now)),
        stats.flatMap(Statistics::memory),
        stats.flatMap(Statistics::swap),
        stats.map(this::io),
        writableLayer(record.id()),
        stats.map(
            now ->
                more(now, startedAt(container), container.oomKillsBefore(), record.resources())));
  }

  PodStats of(Pod pod) {
    PodRecord record = pod.record();
    Optional<CgroupStats> stats =
        pod.isReady() ? wiring.cgroups().stats(record.cgroup()) : Optional.empty();
    List<ContainerStats> containers = new ArrayList<>();
    for (Container container : inventory.containersOf(pod.id())) {
      if (container.state() instanceof ContainerState.Running) {
        containers.add(of(container));
      }
    }
    return new PodStats(
        record.id(),
        record.config().metadata(),
        record.config().labels(),
        record.config().annotations(),
        stats.flatMap(now -> cpu(record.id(), now)),
        stats.flatMap(Statistics::memory),
        stats.map(this::io),
        interfaces(pod),
        stats
            .flatMap(CgroupStats::pids)
            .map(pids -> OptionalLong.of(pids.current()))
            .orElse(OptionalLong.empty()),
        stats.map(now -> more(now, Optional.of(record.createdAt()), 0, LinuxResources.NONE)),
        containers);
  }

  /** Looks at each process, too. */
  PodMeasurements measure(Pod pod) {
    PodStats stats = of(pod);
    List<ContainerMeasurements> measured = new ArrayList<>();
    for (ContainerStats container : stats.containers()) {
      measured.add(
          new ContainerMeasurements(
              container,
              inventory
                  .findContainer(container.id())
                  .map(known -> wiring.cgroups().processes(known.record().cgroup()))
                  .map(ProcessTable::count)
                  .orElse(ProcessTable.count(Set.of())),
              inventory
                  .findContainer(container.id())
                  .flatMap(Container::live)
                  .map(live -> ProcessTable.openFilesLimit(live.pid()))
                  .orElse(OptionalLong.empty()),
              container.writableLayer().flatMap(this::size)));
    }
    return new PodMeasurements(stats, measured);
  }

  private Optional<FilesystemSize> size(FilesystemStats layer) {
    try (Fd directory = wiring.kernel().files().openDirectory(Path.of(layer.mountpoint()))) {
      StatFs all = wiring.kernel().files().statfs(directory);
      return Optional.of(
          new FilesystemSize(
              layer.limitBytes().orElse(all.blocks() * all.blockSize()),
              all.inodes(),
              all.inodesFree()));
    } catch (KernelException e) {
      log.debug("no size of the file system of {}: {}", layer.mountpoint(), e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<Instant> startedAt(Container container) {
    return container.state() instanceof ContainerState.Running running
        ? Optional.of(running.startedAt())
        : Optional.empty();
  }

  private IoStats io(CgroupStats stats) {
    return new IoStats(
        stats.at(),
        stats.ioPressure(),
        stats.io().stream()
            .map(
                device ->
                    new IoStats.Device(
                        device.major(),
                        device.minor(),
                        devices.name(device.major(), device.minor()),
                        device.readBytes(),
                        device.writtenBytes(),
                        device.reads(),
                        device.writes()))
            .toList());
  }

  private static Measurement more(
      CgroupStats stats, Optional<Instant> startedAt, long oomBefore, LinuxResources resources) {
    Optional<CgroupStats.Cpu> cpu = stats.cpu();
    Optional<CgroupStats.Memory> memory = stats.memory();
    Optional<CgroupStats.Pids> pids = stats.pids();
    return new Measurement(
        stats.at(),
        startedAt,
        cpu.map(CgroupStats.Cpu::userNanos).orElse(0L),
        cpu.map(CgroupStats.Cpu::systemNanos).orElse(0L),
        cpu.map(CgroupStats.Cpu::periods).orElse(0L),
        cpu.map(CgroupStats.Cpu::throttledPeriods).orElse(0L),
        cpu.map(CgroupStats.Cpu::throttledNanos).orElse(0L),
        memory.map(CgroupStats.Memory::cache).orElse(0L),
        memory.map(CgroupStats.Memory::mappedFile).orElse(0L),
        memory.map(CgroupStats.Memory::kernel).orElse(0L),
        memory.map(CgroupStats.Memory::peak).orElse(OptionalLong.empty()),
        memory.map(CgroupStats.Memory::limit).orElse(OptionalLong.empty()),
        memory.map(CgroupStats.Memory::swapLimit).orElse(OptionalLong.empty()),
        memory.map(CgroupStats.Memory::failures).orElse(0L),
        pids.map(now -> OptionalLong.of(now.current())).orElse(OptionalLong.empty()),
        pids.map(CgroupStats.Pids::limit).orElse(OptionalLong.empty()),
        Math.max(0, memory.map(CgroupStats.Memory::oomKills).orElse(0L) - oomBefore),
        stats.hugepages().stream()
            .map(huge -> new HugepageStats(huge.pageSize(), huge.usage(), huge.failures()))
            .toList(),
        resources);
  }

  /** Forgets the samples of what is gone. */
  void forget(String id) {
    last.remove(id);
  }

  private Optional<CpuStats> cpu(String id, CgroupStats stats) {
    return stats
        .cpu()
        .map(
            cpu -> {
              Sample now =
                  last.compute(id, (_, before) -> next(before, stats.at(), cpu.usageNanos()));
              return new CpuStats(stats.at(), cpu.usageNanos(), now.rate(), cpu.pressure());
            });
  }

  private static Sample next(@Nullable Sample before, Instant at, long nanos) {
    if (before == null) {
      return new Sample(at, nanos, OptionalLong.empty());
    }
    long elapsed = Duration.between(before.at(), at).toNanos();
    // Askers in quick succession share a rate: over a short time it would be noise.
    if (elapsed < 100_000_000L) {
      return before;
    }
    long used = Math.max(0, nanos - before.cpuNanos());
    long rate = (long) ((double) used * 1_000_000_000L / elapsed);
    return new Sample(at, nanos, OptionalLong.of(rate));
  }

  private static Optional<MemoryStats> memory(CgroupStats stats) {
    return stats
        .memory()
        .map(
            memory ->
                new MemoryStats(
                    stats.at(),
                    memory.workingSet(),
                    memory.available(),
                    memory.usage(),
                    memory.rss(),
                    memory.pageFaults(),
                    memory.majorPageFaults(),
                    memory.pressure()));
  }

  private static Optional<SwapStats> swap(CgroupStats stats) {
    return stats
        .memory()
        .map(
            memory ->
                new SwapStats(
                    stats.at(),
                    memory.swapLimit().isPresent()
                        ? OptionalLong.of(
                            Math.max(0, memory.swapLimit().getAsLong() - memory.swapUsage()))
                        : OptionalLong.empty(),
                    memory.swapUsage()));
  }

  private Optional<FilesystemStats> writableLayer(String id) {
    try {
      FsUsage usage = wiring.images().snapshotUsage(id);
      Optional<VolumeUsage> limited = layers.usage(id);
      if (limited.isPresent()) {
        // The quota counts at every moment; the walk's result is some seconds old.
        VolumeUsage now = limited.get();
        return Optional.of(
            new FilesystemStats(
                Instant.now(),
                usage.path().toString(),
                now.bytes(),
                now.inodes(),
                OptionalLong.of(now.byteLimit())));
      }
      return Optional.of(
          new FilesystemStats(
              usage.at(),
              usage.path().toString(),
              usage.bytes(),
              usage.inodes(),
              OptionalLong.empty()));
    } catch (JrtException e) {
      log.debug("no usage of the writable layer of {}: {}", id, e.getMessage());
      return Optional.empty();
    }
  }

  private List<NetworkStats> interfaces(Pod pod) {
    if (!pod.isReady() || pod.hostNetwork()) {
      return List.of();
    }
    Optional<List<NetworkStats>> seen = throughContainer(pod);
    if (seen.isPresent()) {
      return seen.get();
    }
    try (Fd netns = namespaces.open(pod, NamespaceKind.NET).orElseThrow()) {
      String table =
          wiring
              .kernel()
              .namespaces()
              .inNetns(netns, () -> Files.readString(Path.of("/proc/thread-self/net/dev")));
      return NetDev.parse(table, Instant.now());
    } catch (Exception e) {
      log.debug("no interface counters of pod {}: {}", pod.id(), e.toString());
      return List.of();
    }
  }

  /**
   * The table as a container of the pod has it, which takes no thread: only of one that still is in
   * the pod's network namespace, and was alive all the while.
   */
  private Optional<List<NetworkStats>> throughContainer(Pod pod) {
    for (Container container : inventory.containersOf(pod.id())) {
      Optional<LiveContainer> live = container.live();
      if (live.isPresent()) {
        Path process = Path.of("/proc", Integer.toString(live.get().pid()));
        try {
          boolean inPod =
              Files.isSameFile(
                  process.resolve("ns/net"), namespaces.path(pod.id(), NamespaceKind.NET));
          String table = inPod ? Files.readString(process.resolve("net/dev")) : "";
          if (inPod && live.get().exit().isEmpty()) {
            return Optional.of(NetDev.parse(table, Instant.now()));
          }
        } catch (IOException e) {
          log.debug("no interface counters through {}: {}", container.id(), e.toString());
        }
      }
    }
    return Optional.empty();
  }
}
