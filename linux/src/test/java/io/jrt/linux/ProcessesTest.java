package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ProcessesTest {
  private final Kernel kernel = Kernel.open();
  private final Files files = kernel.files();
  private final Processes processes = kernel.processes();

  private static List<byte[]> bytes(String... texts) {
    List<byte[]> list = new ArrayList<>();
    for (String text : texts) {
      list.add(text.getBytes(UTF_8));
    }
    return list;
  }

  @Test
  void spawnedProgramGetsArgumentsEnvironmentAndOnlyItsDescriptors() {
    try (Pipe out = files.pipe2(0)) {
      String script = "echo $1 $NAME; for f in /proc/$$/fd/*; do echo ${f##*/}; done";
      int pid =
          processes.spawn(
              new SpawnRequest(
                  "/bin/sh",
                  bytes("sh", "-c", script, "sh", "one"),
                  bytes("NAME=value"),
                  Map.of(1, out.write()),
                  true));
      out.write().close();
      try (Fd pidfd = processes.pidfdOpen(pid)) {
        List<String> lines = new String(files.readAll(out.read()), UTF_8).lines().toList();
        assertThat(lines.getFirst()).isEqualTo("one value");
        // 0 is the directory the shell has open while it lists.
        assertThat(lines.subList(1, lines.size())).contains("1").isSubsetOf("0", "1");
        assertThat(processes.waitFor(pidfd)).isEqualTo(new WaitResult.Exited(0));
      }
    }
  }

  @Test
  void anOpenProgramCanBeExecuted() {
    try (Fd program = files.open(java.nio.file.Path.of("/bin/true"), OpenFlags.O_RDONLY)) {
      int pid = processes.spawn(SpawnRequest.of(program.procPath(), Map.of(), "true"));
      try (Fd pidfd = processes.pidfdOpen(pid)) {
        assertThat(processes.waitFor(pidfd)).isEqualTo(new WaitResult.Exited(0));
      }
    }
  }

  @Test
  void theNumberOfAThreadIsNoProcess() throws Exception {
    int self = (int) ProcessHandle.current().pid();
    try (var tasks = java.nio.file.Files.list(java.nio.file.Path.of("/proc/self/task"))) {
      int thread =
          tasks
              .map(task -> Integer.parseInt(task.getFileName().toString()))
              .filter(id -> id != self)
              .findFirst()
              .orElseThrow();
      assertThatThrownBy(() -> processes.pidfdOpen(thread))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
    }
  }

  @Test
  void aProgramThatIsNotThereIsAnError() {
    assertThatThrownBy(() -> processes.spawn(SpawnRequest.of("/no/such", Map.of(), "x")))
        .hasMessage("posix_spawn /no/such: ENOENT (no such file or directory)");
  }

  @Test
  void exitIsPolledThenReaped() throws InterruptedException {
    int pid = processes.spawn(SpawnRequest.of("/bin/sleep", Map.of(), "sleep", "1000"));
    try (Fd pidfd = processes.pidfdOpen(pid);
        Poller poller = kernel.newPoller("test-poller")) {
      assertThat(processes.startTime(pid)).isPresent();
      assertThat(processes.poll(pidfd, true)).isEmpty();
      LinkedBlockingQueue<Integer> told = new LinkedBlockingQueue<>();
      try (Poller.Registration registration = poller.register(pidfd, Poller.EPOLLIN, told::add)) {
        assertThat(registration).isNotNull();
        assertThat(processes.pidfdSendSignal(pidfd, Signals.SIGKILL)).isTrue();
        assertThat(told.poll(10, TimeUnit.SECONDS)).isNotNull();
      }
      WaitResult killed = new WaitResult.Signaled(Signals.SIGKILL, false);
      assertThat(processes.poll(pidfd, false)).contains(killed);
      assertThat(processes.waitFor(pidfd)).isEqualTo(killed);
      assertThat(processes.pidfdSendSignal(pidfd, 0)).isFalse();
      assertThat(killed.shellCode()).isEqualTo(137);
    }
  }

  @Test
  void pollerTellsEachWriteOnceAndNeverTwiceAtATime() throws InterruptedException {
    AtomicInteger bytes = new AtomicInteger();
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    try (Pipe pipe = files.pipe2(0);
        Poller poller = kernel.newPoller("test-poller")) {
      Poller.Registration registration =
          poller.register(
              pipe.read(),
              Poller.EPOLLIN,
              events -> {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                bytes.addAndGet(files.read(pipe.read(), ByteBuffer.allocate(3)));
                running.decrementAndGet();
              });
      for (int i = 0; i < 500; i++) {
        files.writeFully(pipe.write(), new byte[] {1, 2});
      }
      for (int i = 0; i < 1000 && bytes.get() < 1000; i++) {
        Thread.sleep(10);
      }
      registration.close();
      assertThat(bytes).hasValue(1000);
      assertThat(most).hasValue(1);
      files.writeFully(pipe.write(), new byte[] {1});
      Thread.sleep(20);
      assertThat(bytes).hasValue(1000);
    }
  }

  @Test
  void sixHundredDescriptorsTravelInThreeMessages() {
    try (Sockets.SocketPair pair = kernel.sockets().socketpair(Sockets.SOCK_STREAM);
        Fd nothing = files.open(java.nio.file.Path.of("/dev/null"), OpenFlags.O_RDONLY)) {
      List<Fd> sent = new ArrayList<>();
      for (int i = 0; i < 600; i++) {
        sent.add(nothing);
      }
      kernel.sockets().sendWithFds(pair.first(), ByteBuffer.wrap(new byte[] {7, 8}), sent);
      List<Fd> received = new ArrayList<>();
      int messages = 0;
      while (received.size() < 600) {
        ByteBuffer into = ByteBuffer.allocate(2);
        Sockets.Received message = kernel.sockets().receive(pair.second(), into);
        assertThat(message.truncated()).isFalse();
        received.addAll(message.fds());
        messages++;
      }
      assertThat(messages).isEqualTo(3);
      assertThat(files.fstat(received.getLast()).sameFile(files.fstat(nothing))).isTrue();
      received.forEach(Fd::close);
      assertThat(kernel.sockets().peerCredentials(pair.first()).pid()).isEqualTo(processes.pid());
    }
  }
}
