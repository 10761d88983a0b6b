package io.jrt.server.streaming;

import io.jrt.core.Bytes;
import io.jrt.core.ExecRequest;
import io.jrt.core.TerminalSize;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.io.ContainerIoSpec;
import io.jrt.core.io.ContainerIoSpec.LogTarget;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.IoEngine;
import io.jrt.core.io.Stdio;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Pipe;
import io.jrt.linux.SpawnRequest;
import io.jrt.linux.Terminals.Pty;
import io.jrt.linux.Terminals.WindowSize;
import io.jrt.linux.WaitResult;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;

/** Plain processes and the host's network in the place of containers and pods. */
final class ProcessBackend implements StreamingBackend, AutoCloseable {
  private final Kernel kernel = Kernel.open();
  private final IoEngine engine;
  private final Path directory;
  private final Map<String, ContainerIo> containers = new ConcurrentHashMap<>();
  private final Set<Integer> pids = ConcurrentHashMap.newKeySet();

  ProcessBackend(Path directory) {
    this.directory = directory;
    this.engine = IoEngine.open(kernel, directory.resolve("engine"));
  }

  /** The processes that were started and have not ended. */
  Set<Integer> running() {
    return pids;
  }

  /** Starts a shell script that clients can attach to. */
  void container(String id, String script) {
    ExecRequest request =
        new ExecRequest(Bytes.listOf(List.of("sh", "-c", script)), false, true, true, true);
    Spawned spawned = spawn(request, Optional.empty());
    ContainerIoSpec spec =
        new ContainerIoSpec(
            id,
            directory.resolve(id),
            new LogTarget.ToFile(directory.resolve("logs"), id + ".log"),
            false);
    ContainerIo io = engine.container(spec, spawned.stdio());
    containers.put(id, io);
    Thread.ofVirtual()
        .start(
            () -> {
              int code = spawned.exitCode().getAsInt();
              io.finish(Duration.ofSeconds(code == 0 ? 5 : 1));
            });
  }

  @Override
  public ExecSession exec(String containerId, ExecRequest request, StreamClient client) {
    Spawned spawned = spawn(request, client.initialSize());
    return engine.exec(
        spawned.stdio(),
        new AttachRequest(request.stdin(), request.stdout(), request.stderr()),
        client,
        spawned.exitCode());
  }

  @Override
  public StreamSession attach(String containerId, AttachRequest request, StreamClient client) {
    return Optional.ofNullable(containers.get(containerId))
        .orElseThrow(
            () ->
                new JrtException(
                    ErrorKind.NOT_FOUND, "attach", "container " + containerId + " not found"))
        .attach(request, client);
  }

  @Override
  public Fd portForward(String podId, int port) {
    try (Fd netns = kernel.files().open(Path.of("/proc/self/ns/net"), OpenFlags.O_RDONLY)) {
      Fd socket =
          kernel
              .sockets()
              .connectTcp(
                  netns,
                  new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                  Duration.ofSeconds(5));
      int flags = kernel.files().statusFlags(socket);
      kernel.files().setStatusFlags(socket, flags | OpenFlags.O_NONBLOCK);
      return socket;
    } catch (KernelException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "port-forward", "cannot connect to port " + port, e);
    }
  }

  private record Spawned(Stdio stdio, IntSupplier exitCode) {}

  private Spawned spawn(ExecRequest request, Optional<TerminalSize> size) {
    List<String> argv = new ArrayList<>();
    if (request.tty()) {
      argv.addAll(List.of("setsid", "-c"));
    }
    request.command().forEach(argument -> argv.add(argument.text()));
    if (request.tty()) {
      Pty pty = kernel.terminals().open("/dev/ptmx");
      size.ifPresent(
          known ->
              kernel
                  .terminals()
                  .setWindowSize(pty.master(), new WindowSize(known.rows(), known.columns())));
      int pid = spawn(argv, Map.of(0, pty.slave(), 1, pty.slave(), 2, pty.slave()));
      pty.slave().close();
      return new Spawned(new Stdio.Terminal(pty.master(), true), () -> await(pid));
    }
    Pipe in = kernel.files().pipe2(0);
    Pipe out = kernel.files().pipe2(0);
    Pipe err = kernel.files().pipe2(0);
    int pid = spawn(argv, Map.of(0, in.read(), 1, out.write(), 2, err.write()));
    in.read().close();
    out.write().close();
    err.write().close();
    Stdio stdio;
    if (request.stdin()) {
      stdio = new Stdio.Pipes(in.write(), out.read(), err.read());
    } else {
      in.write().close();
      stdio = new Stdio.Outputs(out.read(), err.read());
    }
    return new Spawned(stdio, () -> await(pid));
  }

  private int spawn(List<String> argv, Map<Integer, Fd> fds) {
    List<byte[]> arguments = new ArrayList<>(List.of("env".getBytes(StandardCharsets.UTF_8)));
    argv.forEach(argument -> arguments.add(argument.getBytes(StandardCharsets.UTF_8)));
    List<byte[]> environment = List.of("PATH=/usr/bin:/bin".getBytes(StandardCharsets.UTF_8));
    int pid =
        kernel
            .processes()
            .spawn(new SpawnRequest("/usr/bin/env", arguments, environment, fds, false));
    pids.add(pid);
    return pid;
  }

  private int await(int pid) {
    try (Fd pidfd = kernel.processes().pidfdOpen(pid)) {
      while (true) {
        Optional<WaitResult> ended = kernel.processes().poll(pidfd, true);
        if (ended.isPresent()) {
          pids.remove(pid);
          return ended.get().shellCode();
        }
        Thread.sleep(3);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    for (int pid : pids) {
      kernel.processes().kill(pid, 9);
    }
    engine.close();
  }
}
