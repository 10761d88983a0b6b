package io.jrt.core.life;

import io.jrt.core.TerminalSize;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.io.OutputStreamKind;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A client's hold on streams that are still to come: what it does is kept and done then. */
final class EarlySession implements StreamSession {
  private final AttachRequest request;
  private final StreamClient client;
  private @Nullable StreamSession joined;
  private @Nullable ByteBuffer input;
  private @Nullable TerminalSize size;
  private boolean inputEnded;
  private boolean closed;

  EarlySession(AttachRequest request, StreamClient client) {
    this.request = request;
    this.client = client;
  }

  synchronized Optional<TerminalSize> size() {
    return Optional.ofNullable(size).or(client::initialSize);
  }

  void join(ContainerIo io) {
    boolean more = true;
    synchronized (this) {
      if (closed) {
        return;
      }
      StreamSession session = io.foreground(request, client);
      joined = session;
      if (size != null) {
        session.resize(size);
      }
      if (input != null) {
        more = session.input(input);
        input = null;
      }
      if (inputEnded) {
        session.endInput();
      }
    }
    if (more) {
      client.inputReady();
    }
  }

  void drop(String reason) {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    client.dropped(reason);
  }

  @Override
  public synchronized void resume(OutputStreamKind stream) {
    if (joined != null) {
      joined.resume(stream);
    }
  }

  @Override
  public synchronized boolean input(ByteBuffer bytes) {
    if (joined != null) {
      return joined.input(bytes);
    }
    int kept = input == null ? 0 : input.remaining();
    ByteBuffer all = ByteBuffer.allocate(kept + bytes.remaining());
    if (input != null) {
      all.put(input);
    }
    input = all.put(bytes).flip();
    return false;
  }

  @Override
  public synchronized void endInput() {
    if (joined != null) {
      joined.endInput();
    }
    inputEnded = true;
  }

  @Override
  public synchronized void resize(TerminalSize to) {
    if (joined != null) {
      joined.resize(to);
    }
    size = to;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (joined != null) {
      joined.close();
    }
  }
}
