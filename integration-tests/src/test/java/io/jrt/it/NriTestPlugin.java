package io.jrt.it;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.jrt.nri.v1alpha1.ConfigureResponse;
import io.jrt.nri.v1alpha1.Empty;
import io.jrt.nri.v1alpha1.RegisterPluginRequest;
import io.jrt.nri.v1alpha1.SynchronizeRequest;
import io.jrt.nri.v1alpha1.SynchronizeResponse;
import io.jrt.ttrpc.Request;
import io.jrt.ttrpc.Response;
import io.jrt.ttrpc.Status;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An NRI plugin with a ttrpc of its own, which does as the test says. */
final class NriTestPlugin implements AutoCloseable {
  /** One call of the daemon. */
  record Call(String method, ByteString payload) {}

  /** What the plugin answers; what it throws it says instead. */
  interface Answer {
    Message to(ByteString payload) throws Exception;
  }

  private final SocketChannel socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final CountDownLatch synchronizedWith = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final BlockingQueue<Response> responses = new LinkedBlockingQueue<>();
  private int stream = 1;

  NriTestPlugin(Path path) throws IOException {
    socket = SocketChannel.open(StandardProtocolFamily.UNIX);
    socket.connect(UnixDomainSocketAddress.of(path));
    in = new DataInputStream(Channels.newInputStream(socket));
    out = new DataOutputStream(Channels.newOutputStream(socket));
    answers.put("Configure", _ -> ConfigureResponse.getDefaultInstance());
    answers.put(
        "Synchronize",
        payload ->
            SynchronizeResponse.newBuilder()
                .setMore(SynchronizeRequest.parseFrom(payload).getMore())
                .build());
    Thread.ofVirtual().start(this::read);
  }

  NriTestPlugin on(String method, Answer answer) {
    answers.put(method, answer);
    return this;
  }

  /** A method that this plugin is too old to know. */
  NriTestPlugin without(String... methods) {
    for (String method : methods) {
      answers.put(
          method,
          _ -> {
            throw new UnsupportedOperationException(method);
          });
    }
    return this;
  }

  NriTestPlugin register(String index, String name) throws Exception {
    Response response =
        call(
            "RegisterPlugin",
            RegisterPluginRequest.newBuilder()
                .setPluginIdx(index)
                .setPluginName(name)
                .setNRIVersion("v0.8.0")
                .build());
    if (response.getStatus().getCode() != 0) {
      throw new IOException(response.getStatus().getMessage());
    }
    return this;
  }

  /** Waits until it takes part: from then on it hears of everything. */
  NriTestPlugin awaitPart() throws InterruptedException {
    if (!synchronizedWith.await(30, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the daemon did not synchronize");
    }
    return this;
  }

  boolean awaitEnd() throws InterruptedException {
    return ended.await(30, TimeUnit.SECONDS);
  }

  List<Call> calls() {
    return calls;
  }

  List<String> methods() {
    return calls.stream().map(Call::method).toList();
  }

  Response call(String method, Message request) throws Exception {
    Request envelope =
        Request.newBuilder()
            .setService("nri.pkg.api.v1alpha1.Runtime")
            .setMethod(method)
            .setPayload(request.toByteString())
            .build();
    send(2, stream, 1, envelope.toByteArray());
    stream += 2;
    Response response = responses.poll(30, TimeUnit.SECONDS);
    if (response == null) {
      throw new IOException("no answer to " + method);
    }
    return response;
  }

  /** Sends a frame in two pieces, as it may come. */
  private synchronized void send(int connection, int number, int type, byte[] data)
      throws IOException {
    out.writeInt(connection);
    out.writeInt(10);
    out.writeInt(data.length);
    out.writeInt(number);
    out.writeByte(type);
    out.writeByte(0);
    out.writeInt(connection);
    out.writeInt(data.length);
    out.write(data);
    out.flush();
  }

  void sendRaw(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  private void read() {
    try {
      while (true) {
        int connection = in.readInt();
        in.readInt(); // the daemon sends a frame in one piece
        byte[] data = new byte[in.readInt()];
        int number = in.readInt();
        in.readByte();
        in.readByte();
        in.readFully(data);
        if (connection == 2) {
          responses.add(Response.parseFrom(data));
        } else {
          Request request = Request.parseFrom(data);
          calls.add(new Call(request.getMethod(), request.getPayload()));
          Thread.ofVirtual().start(() -> answer(number, request));
        }
      }
    } catch (IOException end) {
      ended.countDown();
    }
  }

  private void answer(int number, Request request) {
    Response.Builder response = Response.newBuilder();
    try {
      Answer answer = answers.getOrDefault(request.getMethod(), _ -> Empty.getDefaultInstance());
      response.setPayload(answer.to(request.getPayload()).toByteString());
    } catch (UnsupportedOperationException e) {
      response.setStatus(Status.newBuilder().setCode(12).setMessage("not known"));
    } catch (Exception e) {
      response.setStatus(Status.newBuilder().setCode(2).setMessage(String.valueOf(e.getMessage())));
    }
    try {
      send(1, number, 2, response.build().toByteArray());
    } catch (IOException gone) {
      ended.countDown();
    }
    if (request.getMethod().equals("Synchronize")) {
      synchronizedWith.countDown();
    }
  }

  void leave() throws IOException {
    socket.close();
  }

  @Override
  public void close() throws IOException {
    leave();
  }
}
