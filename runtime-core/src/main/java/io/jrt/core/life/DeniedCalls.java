package io.jrt.core.life;

import io.jrt.core.ContainerState;
import io.jrt.events.ContainerEvent;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Poller;
import io.jrt.security.SeccompDenial;
import io.jrt.security.SeccompLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells which system calls the filters of containers denied, for pods that ask to have it
 * explained: the kernel writes an audit record of each into its log, which is read from the start
 * of the first such container on.
 *
 * <p>It is a help, no proof: the kernel drops records when there are many (ten in five seconds, if
 * nothing else is configured), gives them to an audit daemon instead where one runs, and a process
 * that is gone when its record is read is known only if no other container is explained.
 */
final class DeniedCalls implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DeniedCalls.class);

  /** Of a pod: {@code true} has the denied calls of its containers told. */
  static final String ANNOTATION = "jrt.io/explain-seccomp";

  private static final Path KERNEL_LOG = Path.of("/dev/kmsg");

  /** The kernel gives one whole record at a time, at most this long. */
  private static final int RECORD_BYTES = 8192;

  private static final int MAX_TOLD = 200;
  private static final Duration LATE = Duration.ofSeconds(5);

  private final Wiring wiring;
  private final Inventory inventory;
  private final Limitations limitations;
  private final SeccompLog records;
  private final Map<String, Set<String>> told = new ConcurrentHashMap<>();
  private @Nullable Poller poller;
  private @Nullable Fd kernelLog;

  DeniedCalls(Wiring wiring, Inventory inventory, Limitations limitations) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.limitations = limitations;
    this.records = new SeccompLog(wiring.kernel());
  }

  /** Whether the denied calls of a pod's containers are to be told. */
  static boolean wanted(CoreConfig config, Map<String, String> annotations) {
    String asked = annotations.get(ANNOTATION);
    return asked == null ? config.explainSeccomp() : asked.equals("true");
  }

  private boolean wanted(Container container) {
    return inventory
        .findPod(container.podId())
        .filter(pod -> wanted(wiring.config(), pod.record().config().annotations()))
        .isPresent();
  }

  /** Reads the kernel's log from now on, if this container is to be explained. */
  synchronized void watch(Container container) {
    if (poller != null || !wanted(container)) {
      return;
    }
    try {
      Fd opened =
          wiring.kernel().files().open(KERNEL_LOG, OpenFlags.O_RDONLY | OpenFlags.O_NONBLOCK);
      try {
        watch(opened);
      } catch (RuntimeException e) {
        opened.close();
        throw e;
      }
    } catch (KernelException e) {
      limitations.addAll(
          List.of("denied system calls cannot be told: %s: %s".formatted(KERNEL_LOG, e.errno())));
    }
  }

  private void watch(Fd opened) {
    ByteBuffer record = ByteBuffer.allocateDirect(RECORD_BYTES);
    read(opened, record, _ -> {}); // what was there before is nobody's
    Poller own = wiring.kernel().newPoller("denied-calls");
    try {
      own.register(opened, Poller.EPOLLIN, _ -> read(opened, record, this::tell));
    } catch (RuntimeException e) {
      own.close();
      throw e;
    }
    poller = own;
    kernelLog = opened;
  }

  private void read(Fd opened, ByteBuffer record, Consumer<SeccompDenial> to) {
    while (true) {
      record.clear();
      try {
        int read = wiring.kernel().files().read(opened, record);
        if (read <= 0) {
          return;
        }
        byte[] bytes = new byte[record.flip().remaining()];
        record.get(bytes);
        records
            .parse(new String(bytes, StandardCharsets.UTF_8).lines().findFirst().orElse(""))
            .ifPresent(to);
      } catch (KernelException e) {
        if (e.is(Errno.EPIPE)) {
          continue; // records were overwritten before they were read
        }
        if (!e.is(Errno.EAGAIN)) {
          log.warn("cannot read {}: {}", KERNEL_LOG, e.getMessage());
        }
        return;
      }
    }
  }

  private void tell(SeccompDenial denial) {
    Optional<Container> denied = whose(denial.pid());
    if (denied.isEmpty()) {
      log.info(
          "a seccomp filter denied {} to process {} ({}), of no container that is explained",
          denial.systemCall(),
          denial.pid(),
          denial.command());
      return;
    }
    Container container = denied.get();
    Set<String> before = told.computeIfAbsent(container.id(), _ -> new HashSet<>());
    synchronized (before) {
      if (before.size() >= MAX_TOLD || !before.add(denial.systemCall() + " " + denial.command())) {
        return;
      }
    }
    wiring
        .events()
        .publish(
            new ContainerEvent.CallDenied(
                container.id(),
                container.podId(),
                denial.systemCall(),
                denial.command(),
                denial.pid()));
  }

  private Optional<Container> whose(int pid) {
    Path process = Path.of("/proc", Integer.toString(pid));
    try {
      String cgroups = Files.readString(process.resolve("cgroup"));
      Optional<Container> found =
          inventory.containers().stream()
              .filter(container -> cgroups.contains(container.record().cgroup()))
              .filter(this::wanted)
              .findFirst();
      // One that has ended is in no cgroup any more while it waits for its parent.
      boolean ended = Files.readString(process.resolve("status")).contains("State:\tZ");
      return found.isPresent() || !ended ? found : onlyOne();
    } catch (IOException gone) {
      log.debug("process {} is gone: {}", pid, gone.toString());
      return onlyOne();
    }
  }

  /** The one explained container that runs, or did a moment ago; empty if there are several. */
  private Optional<Container> onlyOne() {
    List<Container> possible =
        inventory.containers().stream()
            .filter(DeniedCalls::ranJustNow)
            .filter(this::wanted)
            .limit(2)
            .toList();
    return possible.size() == 1 ? Optional.of(possible.getFirst()) : Optional.empty();
  }

  private static boolean ranJustNow(Container container) {
    return switch (container.state()) {
      case ContainerState.Running _, ContainerState.Unknown _ -> true;
      case ContainerState.Exited exited -> exited.finishedAt().isAfter(Instant.now().minus(LATE));
      // Its process may run already: the state changes when its start is noted.
      case ContainerState.Created _ -> container.live().isPresent();
    };
  }

  /** Forgets what was told of a container. */
  void forget(String containerId) {
    told.remove(containerId);
  }

  @Override
  public synchronized void close() {
    if (poller != null) {
      poller.close();
    }
    if (kernelLog != null) {
      kernelLog.close();
    }
  }
}
