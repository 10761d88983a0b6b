package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.ExecChanges;
import io.jrt.core.ExecRequest;
import io.jrt.core.TerminalSize;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.OutputStreamKind;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.errors.JrtException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients joined to a container's streams, and commands with streams, also across a restart. */
@Timeout(120)
class StreamsIT {
  private RuntimeLab lab;

  @BeforeEach
  void open() throws IOException {
    lab = new RuntimeLab();
  }

  @AfterEach
  void close() throws IOException {
    lab.close();
  }

  /** Keeps what it is given. */
  private static final class Client implements StreamClient {
    private final ByteArrayOutputStream got = new ByteArrayOutputStream();

    @Override
    public synchronized boolean output(OutputStreamKind stream, ByteBuffer bytes) {
      byte[] part = new byte[bytes.remaining()];
      bytes.get(part);
      got.write(part, 0, part.length);
      return true;
    }

    @Override
    public void end(OutputStreamKind stream) {}

    @Override
    public void inputReady() {}

    @Override
    public void dropped(String reason) {}

    @Override
    public Optional<TerminalSize> initialSize() {
      return Optional.of(new TerminalSize(101, 37));
    }

    private synchronized String text() {
      return got.toString(StandardCharsets.UTF_8);
    }

    private void await(String text) throws InterruptedException {
      long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
      while (!text().contains(text)) {
        if (System.nanoTime() > until) {
          throw new AssertionError("no \"" + text + "\" in \"" + text() + "\"");
        }
        Thread.sleep(10);
      }
    }
  }

  private static void type(StreamSession session, String text) {
    session.input(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private ContainerConfig interactive(String name, String script, boolean once, boolean tty) {
    ContainerConfig plain = lab.container(name, script);
    return new ContainerConfig(
        plain.metadata(),
        plain.image(),
        plain.command(),
        plain.args(),
        "",
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        plain.labels(),
        plain.annotations(),
        plain.logPath(),
        true,
        once,
        tty,
        Optional.empty(),
        plain.security(),
        "");
  }

  @Test
  void terminalOutlivesTheDaemon() throws Exception {
    String pod = lab.runPod();
    String container = lab.start(pod, interactive("c", "exec sh", false, true));
    Client first = new Client();
    try (StreamSession session =
        lab.runtime().attach(container, new AttachRequest(true, true, false), first)) {
      type(session, "echo typed-$((1+1)); stty size\n");
      first.await("typed-2");
    }
    lab.restart();
    Client second = new Client();
    try (StreamSession session =
        lab.runtime().attach(container, new AttachRequest(true, true, false), second)) {
      type(session, "echo again-$((2+2)); exit 3\n");
      second.await("again-4");
    }
    assertThat(lab.awaitExit(container).cause().code()).isEqualTo(3);
  }

  @Test
  void inputOfTheFirstClientEndsWithIt() throws Exception {
    String pod = lab.runPod();
    String container = lab.start(pod, interactive("c", "cat; echo over", true, false));
    Client client = new Client();
    try (StreamSession session =
        lab.runtime().attach(container, new AttachRequest(true, true, true), client)) {
      type(session, "one\n");
      client.await("one");
      session.endInput();
      client.await("over");
    }
    assertThat(lab.awaitExit(container).cause().code()).isZero();
    assertThat(lab.log("c")).containsExactly("one", "over");
  }

  @Test
  void commandWithATerminalAndOneWithInput() throws Exception {
    String pod = lab.runPod();
    String container = lab.start(pod, lab.container("c", "sleep 1000"));
    Client terminal = new Client();
    ExecRequest tty =
        new ExecRequest(
            Bytes.listOf(List.of("sh", "-c", "stty size; echo $TERM; exit 4")),
            true,
            true,
            true,
            false);
    try (ExecSession session = lab.runtime().exec(container, tty, terminal)) {
      assertThat(session.awaitExit()).isEqualTo(4);
    }
    assertThat(terminal.text()).contains("37 101").contains("xterm");
    Client piped = new Client();
    ExecRequest cat = new ExecRequest(Bytes.listOf(List.of("cat")), false, true, true, true);
    try (ExecSession session = lab.runtime().exec(container, cat, piped)) {
      type(session, "through\n");
      piped.await("through");
      session.endInput();
      assertThat(session.awaitExit()).isZero();
    }
  }

  @Test
  void commandAsSomebodyElseElsewhere() throws Exception {
    String pod = lab.runPod();
    String container =
        lab.start(
            pod,
            lab.container(
                "c",
                "echo 'other:x:1234:55:another:/home/other:/bin/sh' >>/etc/passwd; printf"
                    + " 'other:x:55:\\n"
                    + "more:x:56:other\\n"
                    + "' >>/etc/group; mkdir /w; touch /ready; sleep 1000"));
    assertThat(said(container, ExecChanges.NONE, "until [ -e /ready ]; do sleep 0.01; done"))
        .isEmpty();
    // The accounts are those of now, not the image's.
    assertThat(
            said(
                container,
                new ExecChanges("other", "", "/w", List.of(EnvVar.of("A", "b=c"))),
                "id -u; id -g; id -G; pwd; echo $HOME; echo $A; grep CapEff /proc/self/status"))
        .containsExactly(
            "1234", "55", "55 56", "/w", "/home/other", "b=c", "CapEff:\t0000000000000000");
    assertThat(said(container, new ExecChanges("7", "8", "", List.of()), "id -u; id -G; pwd"))
        .containsExactly("7", "8", "/");
    for (ExecChanges refused :
        List.of(
            new ExecChanges("nobody-here", "", "", List.of()),
            new ExecChanges("4294967295", "", "", List.of()),
            new ExecChanges("a\nb", "", "", List.of()),
            new ExecChanges("", "55", "", List.of()),
            new ExecChanges("other", "none", "", List.of()),
            new ExecChanges("", "", "w", List.of()),
            new ExecChanges("", "", "", List.of(EnvVar.of("A=", "x"))))) {
      assertThatThrownBy(() -> said(container, refused, "true"))
          .as("%s", refused)
          .isInstanceOf(JrtException.class);
    }
  }

  private List<String> said(String container, ExecChanges changes, String script) throws Exception {
    Client client = new Client();
    ExecRequest request =
        new ExecRequest(
            Bytes.listOf(List.of("sh", "-c", script)), false, false, true, true, changes);
    try (ExecSession session = lab.runtime().exec(container, request, client)) {
      assertThat(session.awaitExit()).isZero();
    }
    return client.text().lines().toList();
  }
}
