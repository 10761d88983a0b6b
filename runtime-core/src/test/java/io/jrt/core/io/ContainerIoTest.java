package io.jrt.core.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.io.ContainerIoSpec.LogTarget;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Pipe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ContainerIoTest {
  private static final Kernel KERNEL = Kernel.open();
  private static final AttachRequest OUTPUTS = new AttachRequest(false, true, true);

  @TempDir private Path directory;
  private IoEngine engine;
  private Pipe stdout;
  private Pipe stderr;
  private Pipe stdin;
  private ContainerIo io;

  @BeforeEach
  void open() {
    engine = IoEngine.open(KERNEL, directory.resolve("engine"), Duration.ofMillis(300));
    stdout = KERNEL.files().pipe2(0);
    stderr = KERNEL.files().pipe2(0);
    stdin = KERNEL.files().pipe2(0);
    io = engine.container(spec("c1/0.log"), stdio());
  }

  @AfterEach
  void close() {
    io.close();
    engine.close();
    stdout.close();
    stderr.close();
    stdin.close();
  }

  @Test
  void outputGoesToTheLogAndToEveryClient() throws Exception {
    CollectingClient first = new CollectingClient();
    CollectingClient second = new CollectingClient();
    io.attach(OUTPUTS, first);
    io.attach(OUTPUTS, second);
    print(stdout, "one\n");
    print(stderr, "two\n");
    stdout.write().close();
    stderr.write().close();
    first.awaitEnd();
    second.awaitEnd();
    assertThat(io.finish(Duration.ofSeconds(5))).isTrue();

    assertThat(first.stdout()).isEqualTo("one\n").isEqualTo(second.stdout());
    assertThat(first.stderr()).isEqualTo("two\n").isEqualTo(second.stderr());
    assertThat(log("c1/0.log"))
        .hasSize(2)
        .anyMatch(
            line -> line.matches("\\d{4}-\\d\\d-\\d\\dT\\S+(Z|[+-]\\d\\d:\\d\\d) stdout F one"))
        .anyMatch(line -> line.endsWith(" stderr F two"));
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(directory.resolve("logs/c1/0.log"))))
        .isEqualTo("rw-r-----");
    assertThat(io.stats().stdoutBytes()).isEqualTo(4);
  }

  @Test
  void finishTakesWhatIsInThePipeThoughItsWriteEndIsHeld() throws Exception {
    print(stdout, "last words");
    assertThat(io.finish(Duration.ofSeconds(5))).isTrue();
    assertThat(log("c1/0.log")).singleElement().asString().endsWith(" stdout P last words");
  }

  @Test
  void aClientThatTakesNoMoreHoldsTheWriter() throws Exception {
    CollectingClient slow = new CollectingClient();
    slow.welcome(false);
    StreamSession session = io.attach(OUTPUTS, slow);
    KERNEL.files().setStatusFlags(stdout.write(), OpenFlags.O_NONBLOCK);
    byte[] line = ("x".repeat(99) + "\n").getBytes(UTF_8);
    long written = 0;
    int refused = 0;
    while (refused < 20) {
      try {
        written += KERNEL.files().write(stdout.write(), line, 0, line.length);
      } catch (KernelException full) {
        refused++;
        Thread.sleep(10);
      }
    }
    assertThat(written).isLessThan(3 * 64 * 1024);
    slow.welcome(true);
    session.resume(OutputStreamKind.STDOUT);
    assertThat(io.finish(Duration.ofSeconds(5))).isTrue();
    slow.awaitEnd();
    assertThat(slow.stdout()).hasSize((int) written);
    assertThat(io.stats().stdoutBytes()).isEqualTo(written);
  }

  @Test
  void theForegroundHoldsForAsLongAsItLikesAndOthersDoNot() throws Exception {
    CollectingClient foreground = new CollectingClient();
    CollectingClient other = new CollectingClient();
    foreground.welcome(false);
    other.welcome(false);
    io.foreground(OUTPUTS, foreground);
    io.attach(OUTPUTS, other);
    print(stdout, "one\n");
    other.awaitDrop();
    print(stdout, "two\n");
    // More than the engine's next look at slow clients.
    Thread.sleep(3000);
    assertThat(foreground.drops()).isEmpty();
    assertThat(foreground.stdout()).isEqualTo("one\n");
    assertThat(io.finish(Duration.ofSeconds(5))).isTrue();
    foreground.awaitEnd();
    assertThat(foreground.stdout()).isEqualTo("one\ntwo\n");
    assertThat(log("c1/0.log")).hasSize(2);
  }

  @Test
  void aClientThatLeavesHoldsNobody() throws Exception {
    CollectingClient gone = new CollectingClient();
    gone.welcome(false);
    StreamSession session = io.attach(OUTPUTS, gone);
    print(stdout, "a\n");
    gone.awaitBytes(2);
    session.close();
    print(stdout, "b\n");
    assertThat(io.finish(Duration.ofSeconds(5))).isTrue();
    assertThat(log("c1/0.log")).hasSize(2);
  }

  @Test
  void stdinStaysOpenForTheNextClientUnlessOnce() throws Exception {
    CollectingClient client = new CollectingClient();
    StreamSession first = io.attach(new AttachRequest(true, true, true), client);
    assertThat(first.input(ByteBuffer.wrap("in\n".getBytes(UTF_8)))).isTrue();
    first.endInput();
    first.close();
    StreamSession second = io.attach(new AttachRequest(true, true, true), client);
    second.input(ByteBuffer.wrap("more\n".getBytes(UTF_8)));
    byte[] got = new byte[100];
    int n = KERNEL.files().read(stdin.read(), got, 0, 100);
    assertThat(new String(got, 0, n, UTF_8)).isEqualTo("in\nmore\n");
  }

  @Test
  void inputThatDoesNotFitIsWrittenLater() throws Exception {
    CollectingClient client = new CollectingClient();
    StreamSession session = io.attach(new AttachRequest(true, true, true), client);
    byte[] much = new byte[200_000];
    assertThat(session.input(ByteBuffer.wrap(much))).isFalse();
    byte[] got = new byte[much.length];
    int n = 0;
    while (n < much.length) {
      n += KERNEL.files().read(stdin.read(), got, n, got.length - n);
    }
    client.awaitInputReady();
  }

  @Test
  void reopenGoesOnInANewFile() throws Exception {
    print(stdout, "old\n");
    awaitLog("c1/0.log", 1);
    Files.move(directory.resolve("logs/c1/0.log"), directory.resolve("logs/c1/0.log.1"));
    io.reopenLog();
    print(stdout, "new\n");
    awaitLog("c1/0.log", 1);
    assertThat(log("c1/0.log.1")).singleElement().asString().endsWith("F old");
    assertThat(log("c1/0.log")).singleElement().asString().endsWith("F new");
  }

  @Test
  void aLineBegunBeforeARestartEndsAfterIt() throws Exception {
    print(stdout, "first\nbegun ");
    awaitLog("c1/0.log", 1);
    Fd again = KERNEL.files().dup(stdout.read());
    Fd againErr = KERNEL.files().dup(stderr.read());
    engine.close();
    engine = IoEngine.open(KERNEL, directory.resolve("engine"));
    print(stdout, "and ended\n");
    io = engine.container(spec("c1/0.log"), new Stdio.Outputs(again, againErr));
    awaitLog("c1/0.log", 2);
    assertThat(log("c1/0.log").getLast()).endsWith(" stdout F begun and ended");
  }

  @Test
  void logPathsThatLeaveTheDirectoryAreRefused() throws Exception {
    Files.createDirectories(directory.resolve("logs"));
    Files.createSymbolicLink(directory.resolve("logs/link"), Path.of("/tmp"));
    Files.createSymbolicLink(directory.resolve("logs/file.log"), Path.of("/etc/passwd"));
    for (String path : List.of("../x.log", "/abs.log", "a/../../x.log", "link/x.log", "file.log")) {
      try (Pipe out = KERNEL.files().pipe2(0);
          Pipe err = KERNEL.files().pipe2(0)) {
        Stdio stdio = new Stdio.Outputs(out.read(), err.read());
        assertThatThrownBy(() -> engine.container(spec(path), stdio))
            .as(path)
            .isInstanceOfSatisfying(
                JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
      }
    }
  }

  private ContainerIoSpec spec(String path) {
    return new ContainerIoSpec(
        "c1",
        directory.resolve("state"),
        new LogTarget.ToFile(directory.resolve("logs"), path),
        false);
  }

  private Stdio stdio() {
    return new Stdio.Pipes(stdin.write(), stdout.read(), stderr.read());
  }

  private static void print(Pipe pipe, String text) {
    KERNEL.files().writeFully(pipe.write(), text.getBytes(UTF_8));
  }

  private List<String> log(String path) throws IOException {
    return Files.readAllLines(directory.resolve("logs").resolve(path));
  }

  private void awaitLog(String path, int lines) throws Exception {
    while (!Files.exists(directory.resolve("logs").resolve(path)) || log(path).size() < lines) {
      Thread.sleep(5);
    }
  }
}
