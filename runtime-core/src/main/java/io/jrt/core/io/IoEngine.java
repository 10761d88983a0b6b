package io.jrt.core.io;

import io.jrt.core.io.ContainerIoSpec.LogTarget;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import io.jrt.linux.Poller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Moves the bytes of all containers and commands, with a handful of threads and buffers however
 * many there are.
 *
 * <p>A poller tells which pipes have something; their readers queue here and two to four worker
 * threads give each a turn of a few batches of 64 KiB, so that one container that floods its log
 * makes another wait for a millisecond or two. Workers are platform threads, as writing to a log
 * blocks when the disk does.
 */
public final class IoEngine implements AutoCloseable {
  /** How long an attached client may hold a container without taking a byte. */
  public static final Duration SLOW_CLIENT_LIMIT = Duration.ofSeconds(60);

  private static final Duration SLOW_CLIENT_CHECK = Duration.ofSeconds(2);

  private final Kernel kernel;
  private final Path stateDirectory;
  private final Poller poller;
  private final Clock clock;
  private final BlockingQueue<OutputReader> queue = new LinkedBlockingQueue<>();
  private final Set<OutputReader> paused = ConcurrentHashMap.newKeySet();
  private final Set<RunningContainerIo> containers = ConcurrentHashMap.newKeySet();
  private final Map<String, Landing> leftovers = new ConcurrentHashMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private final Duration slowClientLimit;
  private volatile boolean closed;

  private IoEngine(Kernel kernel, Path stateDirectory, Duration slowClientLimit) {
    this.slowClientLimit = slowClientLimit;
    this.kernel = kernel;
    this.stateDirectory = stateDirectory;
    this.poller = kernel.newPoller("io-poller");
    this.clock = Clock.system(ZoneId.systemDefault());
  }

  /**
   * Starts the engine.
   *
   * @param stateDirectory a directory of the engine's own on a file system that lasts as long as
   *     the boot ({@code /run}); what was in flight when the last daemon died lies there
   */
  public static IoEngine open(Kernel kernel, Path stateDirectory) {
    return open(kernel, stateDirectory, SLOW_CLIENT_LIMIT);
  }

  static IoEngine open(Kernel kernel, Path stateDirectory, Duration slowClientLimit) {
    IoEngine engine = new IoEngine(kernel, stateDirectory, slowClientLimit);
    try {
      Files.createDirectories(stateDirectory);
      engine.findLeftovers();
      int workers = Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 4);
      for (int i = 0; i < workers; i++) {
        engine.startWorker(i);
      }
    } catch (IOException e) {
      engine.close();
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, "open I/O engine", "cannot use " + stateDirectory, e);
    } catch (RuntimeException e) {
      engine.close();
      throw e;
    }
    return engine;
  }

  /**
   * Begins, or after a restart of the daemon goes on, to serve a container's streams. Creates the
   * log file and its directories when they are missing.
   */
  public ContainerIo container(ContainerIoSpec spec, Stdio stdio) {
    return container(spec, stdio, _ -> {});
  }

  /**
   * The same, with clients that shall miss nothing.
   *
   * @param first is given the streams before a byte is read
   */
  public ContainerIo container(ContainerIoSpec spec, Stdio stdio, Consumer<ContainerIo> first) {
    ContainerLog log = openLog(spec);
    ProcessStreams streams = new ProcessStreams(this, kernel, stdio, log);
    RunningContainerIo io = new RunningContainerIo(this, spec, streams, log);
    containers.add(io);
    first.accept(io);
    streams.start();
    return io;
  }

  /**
   * Serves the streams of a command for one client.
   *
   * @param wanted the streams that the client asked for
   * @param exitCode blocks until the command has ended and gives its exit code; called on the
   *     thread of {@link ExecSession#awaitExit}
   */
  public ExecSession exec(
      Stdio stdio, AttachRequest wanted, StreamClient client, IntSupplier exitCode) {
    ProcessStreams streams = new ProcessStreams(this, kernel, stdio, null);
    ClientSession session = new ClientSession(streams, client, wanted, true, true);
    client.initialSize().ifPresent(session::resize);
    session.start();
    streams.start();
    return new CommandIo(streams, session, exitCode);
  }

  /** Stops the threads; containers and their pipes stay as they are. */
  @Override
  public void close() {
    containers.forEach(RunningContainerIo::close);
    closed = true;
    poller.close();
    for (Thread thread : threads) {
      thread.interrupt();
    }
    try {
      for (Thread thread : threads) {
        thread.join(Duration.ofSeconds(5));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  Duration slowClientLimit() {
    return slowClientLimit;
  }

  Poller poller() {
    return poller;
  }

  void enqueue(OutputReader reader) {
    queue.add(reader);
  }

  /** A client holds this reader; it may have to be dropped. */
  void watchPaused(OutputReader reader) {
    paused.add(reader);
  }

  void forget(RunningContainerIo io) {
    containers.remove(io);
  }

  private @Nullable ContainerLog openLog(ContainerIoSpec spec) {
    try {
      Files.createDirectories(spec.stateDirectory());
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, "open log", "cannot use " + spec.stateDirectory(), e);
    }
    return switch (spec.log()) {
      case LogTarget.Discard() -> null;
      case LogTarget.ToFile target -> {
        ContainerLog log = ContainerLog.open(kernel.files(), spec, target, clock);
        replay(spec, log);
        yield log;
      }
    };
  }

  /**
   * Finishes what was in flight when the last daemon died. What had a place in the log comes first:
   * its first half may be the last thing in the file.
   */
  private void replay(ContainerIoSpec spec, ContainerLog log) {
    for (boolean taken : new boolean[] {true, false}) {
      for (OutputStreamKind kind : OutputStreamKind.values()) {
        String owner = ContainerLog.owner(spec.containerId(), kind);
        Landing leftover = leftovers.get(owner);
        if (leftover != null && leftover.leftover().taken() == taken) {
          log.replay(kind, leftover, IoWorker.newLines());
          leftovers.remove(owner);
          delete(leftover.file());
        }
      }
    }
  }

  private void findLeftovers() throws IOException {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(stateDirectory, "landing-*")) {
      for (Path file : found) {
        Landing.openLeftover(file)
            .ifPresentOrElse(
                landing -> leftovers.put(landing.leftover().owner(), landing), () -> delete(file));
      }
    }
  }

  private void startWorker(int number) {
    String name = "landing-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
    Landing landing = Landing.create(stateDirectory.resolve(name + "-" + number));
    Thread thread =
        Thread.ofPlatform().name("io-" + number).daemon().unstarted(() -> work(landing));
    threads.add(thread);
    thread.start();
  }

  private void work(Landing landing) {
    IoWorker worker = new IoWorker(landing);
    long nextCheck = System.nanoTime() + SLOW_CLIENT_CHECK.toNanos();
    while (!closed) {
      try {
        OutputReader reader = queue.poll(SLOW_CLIENT_CHECK.toNanos(), TimeUnit.NANOSECONDS);
        if (reader != null) {
          reader.run(worker);
        }
      } catch (InterruptedException e) {
        break; // close() is the only one who interrupts
      }
      long now = System.nanoTime();
      if (now - nextCheck >= 0) {
        nextCheck = now + SLOW_CLIENT_CHECK.toNanos();
        paused.removeIf(reader -> !reader.dropSlow(now));
      }
    }
    delete(landing.file());
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
