package io.jrt.server.admin;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.LogLine;
import io.jrt.admin.v1.LogStream;
import io.jrt.admin.v1.LogsRequest;
import io.jrt.admin.v1.LogsResponse;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStatus;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The log of a container, rotated files included, and what is added to it. */
final class Logs {
  private static final Logger log = LoggerFactory.getLogger(Logs.class);
  private static final String STEP = "read log";
  private static final int BATCH_LINES = 512;
  private static final int BATCH_BYTES = 256 << 10;
  private static final int MAX_TAIL = 1_000_000;
  private static final long LOOK_MILLIS = 50;

  private final ContainerRuntime runtime;

  Logs(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(LogsRequest request, StreamObserver<LogsResponse> client) {
    ContainerStatus container = runtime.containerStatus(request.getContainerId());
    if (container.logPath().isEmpty()) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "container " + container.id() + " was created without a log");
    }
    Answers.stream(client, sink -> run(request, container, new Batch(sink)));
  }

  private void run(LogsRequest request, ContainerStatus container, Batch batch) {
    try (LogFiles files = new LogFiles(Path.of(container.logPath()))) {
      past(request, files, batch);
      batch.flush();
      while (request.getFollow() && !batch.sink.isGone()) {
        // Asked before reading: what a container wrote before it ended is in its log then.
        boolean ended = ended(container.id());
        boolean more = added(request, files, batch);
        batch.flush();
        if (ended && !more) {
          return;
        }
        if (!more) {
          Thread.sleep(LOOK_MILLIS);
        }
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, STEP, "cannot read " + container.logPath() + ": " + e, e);
    } catch (InterruptedException e) {
      log.debug("the reader of a log left");
    }
  }

  private static void past(LogsRequest request, LogFiles files, Batch batch) throws IOException {
    long tail = request.getTail() < 0 ? Long.MAX_VALUE : request.getTail();
    if (tail == Long.MAX_VALUE) {
      for (Optional<LogLine> line = files.next(); line.isPresent(); line = files.next()) {
        if (line.get().getAt() >= request.getSince()) {
          batch.add(line.get());
        }
      }
      return;
    }
    var kept = new ArrayDeque<LogLine>();
    for (Optional<LogLine> line = files.next(); line.isPresent(); line = files.next()) {
      if (line.get().getAt() >= request.getSince() && tail > 0) {
        if (kept.size() >= Math.min(tail, MAX_TAIL)) {
          kept.removeFirst();
        }
        kept.add(line.get());
      }
    }
    kept.forEach(batch::add);
  }

  private static boolean added(LogsRequest request, LogFiles files, Batch batch)
      throws IOException {
    boolean more = false;
    for (Optional<LogLine> line = files.next(); line.isPresent(); line = files.next()) {
      more = true;
      if (line.get().getAt() >= request.getSince()) {
        batch.add(line.get());
      }
    }
    return more;
  }

  private boolean ended(String id) {
    try {
      return switch (runtime.containerStatus(id).state()) {
        case ContainerState.Created _, ContainerState.Running _ -> false;
        case ContainerState.Exited _, ContainerState.Unknown _ -> true;
      };
    } catch (JrtException e) {
      if (e.kind() == ErrorKind.NOT_FOUND) {
        return true;
      }
      throw e;
    }
  }

  /** Lines on their way to the client, many in one message. */
  private static final class Batch {
    private final Sink<LogsResponse> sink;
    private final List<LogLine> lines = new ArrayList<>();
    private int bytes;

    Batch(Sink<LogsResponse> sink) {
      this.sink = sink;
    }

    void add(LogLine line) {
      lines.add(line);
      bytes += line.getText().size();
      if (lines.size() >= BATCH_LINES || bytes >= BATCH_BYTES) {
        flush();
      }
    }

    void flush() {
      if (!lines.isEmpty()) {
        sink.send(LogsResponse.newBuilder().addAllLines(lines).build());
        lines.clear();
        bytes = 0;
      }
    }
  }

  /** One line as the CRI log format has it: {@code TIME STREAM P|F TEXT}; empty if it is none. */
  static Optional<LogLine> parse(ByteString line) {
    int first = indexOf(line, 0);
    int second = first < 0 ? -1 : indexOf(line, first + 1);
    int third = second < 0 ? -1 : indexOf(line, second + 1);
    if (third < 0) {
      return Optional.empty();
    }
    String stream = line.substring(first + 1, second).toStringUtf8();
    String tags = line.substring(second + 1, third).toStringUtf8();
    Optional<Long> at = LogTime.nanos(line.substring(0, first).toStringUtf8());
    return at.map(
        nanos ->
            LogLine.newBuilder()
                .setAt(nanos)
                .setStream(
                    stream.equals("stderr")
                        ? LogStream.LOG_STREAM_STDERR
                        : LogStream.LOG_STREAM_STDOUT)
                .setText(line.substring(third + 1))
                .setPartial(tags.equals("P") || tags.startsWith("P:"))
                .build());
  }

  private static int indexOf(ByteString line, int from) {
    for (int i = from; i < line.size(); i++) {
      if (line.byteAt(i) == ' ') {
        return i;
      }
    }
    return -1;
  }
}
