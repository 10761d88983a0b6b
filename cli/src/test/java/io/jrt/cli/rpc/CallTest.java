package io.jrt.cli.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.AdminGrpc;
import io.jrt.admin.v1.ImportImageRequest;
import io.jrt.admin.v1.ImportImageResponse;
import io.jrt.admin.v1.InfoRequest;
import io.jrt.admin.v1.InfoResponse;
import io.jrt.admin.v1.LogLine;
import io.jrt.admin.v1.LogsRequest;
import io.jrt.admin.v1.LogsResponse;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client against grpc-java's own server. */
class CallTest {
  private static final int CHUNK = 300_000;

  @TempDir private Path directory;
  private MultiThreadIoEventLoopGroup loops;
  private Server server;
  private Path socket;

  @BeforeEach
  void start() throws IOException {
    socket = directory.resolve("test.sock");
    loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            .withChildOption(io.netty.channel.ChannelOption.SO_KEEPALIVE, null)
            .addService(new Answers())
            .build()
            .start();
  }

  @AfterEach
  void stop() {
    server.shutdownNow();
    loops.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void aCallIsAnswered() throws IOException {
    try (Call call = open("Info")) {
      call.send(InfoRequest.getDefaultInstance().toByteArray());
      call.halfClose();
      assertThat(InfoResponse.parseFrom(call.next().orElseThrow()).getVersion()).isEqualTo("1.2.3");
      assertThat(call.next()).isEmpty();
    }
  }

  @Test
  void aFailureCarriesCodeAndMessage() throws IOException {
    try (Call call = open("ReloadConfig")) {
      call.send(new byte[0]);
      call.halfClose();
      assertThatThrownBy(call::next)
          .isInstanceOf(RpcException.class)
          .hasMessage("zeile 3: „größe“ is no number")
          .extracting(e -> ((RpcException) e).code())
          .isEqualTo(RpcException.Code.INVALID_ARGUMENT);
    }
  }

  @Test
  void anUnknownMethodIsUnimplemented() throws IOException {
    try (Call call = open("NoSuchThing")) {
      call.send(new byte[0]);
      call.halfClose();
      assertThatThrownBy(call::next)
          .isInstanceOf(RpcException.class)
          .extracting(e -> ((RpcException) e).code())
          .isEqualTo(RpcException.Code.UNIMPLEMENTED);
    }
  }

  @Test
  void manyAnswersAreMoreThanAWindow() throws IOException {
    try (Call call = open("Logs")) {
      call.send(LogsRequest.newBuilder().setTail(60).build().toByteArray());
      call.halfClose();
      long bytes = 0;
      for (Optional<byte[]> next = call.next(); next.isPresent(); next = call.next()) {
        bytes += LogsResponse.parseFrom(next.get()).getLines(0).getText().size();
      }
      assertThat(bytes).isEqualTo(60L * CHUNK);
    }
  }

  @Test
  void manyRequestsWaitForTheWindow() throws IOException {
    try (Call call = open("ImportImage")) {
      ImportImageRequest chunk =
          ImportImageRequest.newBuilder().setChunk(ByteString.copyFrom(new byte[CHUNK])).build();
      for (int i = 0; i < 40; i++) {
        call.send(chunk.toByteArray());
      }
      call.halfClose();
      ImportImageResponse answer = ImportImageResponse.parseFrom(call.next().orElseThrow());
      assertThat(answer.getImages(0).getSize()).isEqualTo(40L * CHUNK);
    }
  }

  private Call open(String method) throws IOException {
    return Call.open(socket, "jrt.v1.Admin/" + method, Duration.ofSeconds(20));
  }

  private static final class Answers extends AdminGrpc.AdminImplBase {
    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> answer) {
      answer.onNext(InfoResponse.newBuilder().setVersion("1.2.3").build());
      answer.onCompleted();
    }

    @Override
    public void reloadConfig(
        io.jrt.admin.v1.ReloadConfigRequest request,
        StreamObserver<io.jrt.admin.v1.ReloadConfigResponse> answer) {
      answer.onError(
          Status.INVALID_ARGUMENT
              .withDescription("zeile 3: „größe“ is no number")
              .asRuntimeException());
    }

    @Override
    public void logs(LogsRequest request, StreamObserver<LogsResponse> answer) {
      ByteString text = ByteString.copyFrom(new byte[CHUNK]);
      for (long i = 0; i < request.getTail(); i++) {
        answer.onNext(
            LogsResponse.newBuilder().addLines(LogLine.newBuilder().setText(text)).build());
      }
      answer.onCompleted();
    }

    @Override
    public StreamObserver<ImportImageRequest> importImage(
        StreamObserver<ImportImageResponse> answer) {
      return new StreamObserver<>() {
        private long bytes;

        @Override
        public void onNext(ImportImageRequest part) {
          bytes += part.getChunk().size();
        }

        @Override
        public void onError(Throwable error) {
          bytes = -1;
        }

        @Override
        public void onCompleted() {
          answer.onNext(
              ImportImageResponse.newBuilder()
                  .addImages(io.jrt.admin.v1.ImageResult.newBuilder().setSize(bytes))
                  .build());
          answer.onCompleted();
        }
      };
    }
  }
}
