package io.jrt.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.AdminGrpc;
import io.jrt.admin.v1.ImportImageRequest;
import io.jrt.admin.v1.ImportImageResponse;
import io.jrt.admin.v1.InfoRequest;
import io.jrt.admin.v1.InfoResponse;
import io.jrt.admin.v1.StatsRequest;
import io.jrt.admin.v1.StatsResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UnixServerTest {
  @TempDir private Path directory;

  /** Answers with whatever the test wants. */
  private static final class Scripted extends AdminGrpc.AdminImplBase {
    private final CountDownLatch left = new CountDownLatch(1);

    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> client) {
      if (Answers.deadline().isLimited()) {
        throw new JrtException(
            ErrorKind.NOT_FOUND, "find pod", "no pod abc", "list them with jrt pods", null);
      }
      Answers.one(
          client,
          InfoResponse.newBuilder()
              .setVersion(Thread.currentThread().isVirtual() ? "virtual" : "platform")
              .build());
    }

    @Override
    public void stats(StatsRequest request, StreamObserver<StatsResponse> client) {
      Answers.stream(
          client,
          sink -> {
            try {
              for (long at = 1; at < Long.MAX_VALUE; at++) {
                sink.send(StatsResponse.newBuilder().setAt(at).build());
              }
            } finally {
              left.countDown();
            }
          });
    }

    @Override
    public StreamObserver<ImportImageRequest> importImage(
        StreamObserver<ImportImageResponse> client) {
      throw new IllegalStateException("a fault");
    }
  }

  private Path socket() {
    return directory.resolve("jrt.sock");
  }

  @Test
  void callsRunOnVirtualThreads() throws Exception {
    try (TestDaemon daemon = TestDaemon.serving(socket(), new Scripted())) {
      assertThat(
              AdminGrpc.newBlockingStub(daemon.channel())
                  .info(InfoRequest.getDefaultInstance())
                  .getVersion())
          .isEqualTo("virtual");
    }
  }

  @Test
  void anErrorIsAStatusWithStepMessageAndHint() throws Exception {
    try (TestDaemon daemon = TestDaemon.serving(socket(), new Scripted())) {
      assertThatThrownBy(
              () ->
                  AdminGrpc.newBlockingStub(daemon.channel())
                      .withDeadlineAfter(5, TimeUnit.SECONDS)
                      .info(InfoRequest.getDefaultInstance()))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> {
                assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
                assertThat(e.getStatus().getDescription())
                    .isEqualTo("find pod: no pod abc (list them with jrt pods)");
              });
    }
  }

  @Test
  void theWriterOfAStreamEndsWhenItsClientGoes() throws Exception {
    var service = new Scripted();
    try (TestDaemon daemon = TestDaemon.serving(socket(), service)) {
      Iterator<StatsResponse> answers =
          AdminGrpc.newBlockingStub(daemon.channel()).stats(StatsRequest.getDefaultInstance());
      assertThat(answers.next().getAt()).isEqualTo(1);
      assertThat(answers.next().getAt()).isEqualTo(2);
      daemon.channel().shutdownNow();
      assertThat(service.left.await(5, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void onlyTheOwnerReachesTheSocket() throws Exception {
    try (TestDaemon daemon = TestDaemon.serving(socket(), new Scripted())) {
      assertThat(daemon.channel().isShutdown()).isFalse();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())))
          .isEqualTo("rw-------");
    }
    assertThat(socket()).doesNotExist();
  }

  @Test
  void strangersAreHungUpOnAndMembersOfTheGroupAreNot() throws Exception {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root");
    assumeTrue(Files.exists(Path.of("/usr/bin/perl")), "the stranger is a script of perl");
    for (Path path = directory; path != null && path.startsWith("/tmp/"); path = path.getParent()) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    UnixServer server =
        UnixServer.start(
            socket(), "daemon", OptionalInt.empty(), List.of(new Scripted()), CallObserver.NONE);
    try {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())))
          .isEqualTo("rw-rw----");
      assertThat(greeting("--regid=1000", "--clear-groups")).isEqualTo("not connected");
      assertThat(greeting("--regid=1", "--clear-groups")).isEqualTo("greeted");
      assertThat(greeting("--regid=1000", "--groups=1")).isEqualTo("greeted");
      Files.setPosixFilePermissions(socket(), PosixFilePermissions.fromString("rw-rw-rw-"));
      assertThat(greeting("--regid=1000", "--clear-groups")).isEqualTo("hung up");
    } finally {
      server.close();
    }
  }

  @Test
  void rootAloneIsLetInWithoutAGroup() throws Exception {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root");
    assumeTrue(Files.exists(Path.of("/usr/bin/perl")), "the stranger is a script of perl");
    for (Path path = directory; path != null && path.startsWith("/tmp/"); path = path.getParent()) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    UnixServer server =
        UnixServer.start(socket(), OptionalInt.empty(), List.of(new Scripted()), CallObserver.NONE);
    try {
      assertThat(greeting("--regid=0", "--clear-groups")).isEqualTo("not connected");
      Files.setPosixFilePermissions(socket(), PosixFilePermissions.fromString("rw-rw-rw-"));
      assertThat(greeting("--regid=0", "--clear-groups")).isEqualTo("hung up");
    } finally {
      server.close();
    }
  }

  /** Connects as user 1000 and waits for the first bytes of HTTP/2, which the server sends. */
  private String greeting(String... groups) throws Exception {
    List<String> command = new ArrayList<>(List.of("setpriv", "--reuid=1000"));
    command.addAll(List.of(groups));
    command.addAll(
        List.of(
            "perl",
            "-MSocket",
            "-e",
            "$SIG{PIPE} = 'IGNORE'; socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S,"
                + " sockaddr_un($ARGV[0])) or do { print 'not connected'; exit };syswrite(S, \"PRI"
                + " * HTTP/2.0\\r"
                + "\\n"
                + "\\r"
                + "\\n"
                + "SM\\r"
                + "\\n"
                + "\\r"
                + "\\n"
                + "\\0\\0\\0\\4\\0\\0\\0\\0\\0\");$n = sysread(S, $b, 9); print $n ? 'greeted' :"
                + " 'hung up'",
            socket().toString()));
    Process stranger = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(stranger.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    stranger.waitFor(20, TimeUnit.SECONDS);
    return said;
  }

  @Test
  void theSocketOfADaemonThatIsGoneIsReplaced() throws Exception {
    try (var gone = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      gone.bind(UnixDomainSocketAddress.of(socket()));
    }
    assertThat(socket()).exists();
    try (TestDaemon daemon = TestDaemon.serving(socket(), new Scripted())) {
      assertThat(
              AdminGrpc.newBlockingStub(daemon.channel())
                  .info(InfoRequest.getDefaultInstance())
                  .getVersion())
          .isNotEmpty();
    }
  }

  @Test
  void aSecondDaemonOnTheSameSocketIsRefused() throws Exception {
    try (TestDaemon daemon = TestDaemon.serving(socket(), new Scripted())) {
      assertThatThrownBy(
              () ->
                  UnixServer.start(
                      socket(), OptionalInt.empty(), List.of(new Scripted()), CallObserver.NONE))
          .isInstanceOfSatisfying(
              JrtException.class,
              e -> assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION));
      assertThat(
              AdminGrpc.newBlockingStub(daemon.channel())
                  .info(InfoRequest.getDefaultInstance())
                  .getVersion())
          .isNotEmpty();
    }
  }

  @Test
  void aFileThatIsNoSocketIsLeftAlone() throws Exception {
    Files.writeString(socket(), "precious");
    assertThatThrownBy(
            () ->
                UnixServer.start(
                    socket(), OptionalInt.empty(), List.of(new Scripted()), CallObserver.NONE))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("is not a socket");
    assertThat(socket()).hasContent("precious");
  }
}
