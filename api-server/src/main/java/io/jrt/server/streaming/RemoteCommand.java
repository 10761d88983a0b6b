package io.jrt.server.streaming;

import io.jrt.core.TerminalSize;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.OutputStreamKind;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.errors.JrtException;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One exec or attach, whatever protocol carries it: between the wire, whose events come on its
 * event loop, and the session of the process, whose output comes on threads of the I/O engine.
 *
 * <p>Life: made when the client connected; {@link #start} when all of its streams are there; with a
 * terminal it waits a moment for the window's size, so that the first thing drawn fits; {@link
 * #joined} when the process runs; then the wire is told the end, or the client leaves.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
final class RemoteCommand implements StreamClient {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteCommand.class);

  /** How long a terminal waits for a client that does not say its size, as programs do. */
  private static final long SIZE_WAIT_MILLIS = 250;

  private final StreamingBackend backend;
  private final StreamRequest.Command request;
  private final CommandWire wire;
  private final AtomicInteger outputsLeft;
  private final AtomicBoolean finished = new AtomicBoolean();
  private final ResizeDecoder resizes = new ResizeDecoder();

  // Touched on the event loop only, but for the size, which is read when the process starts.
  private final Queue<ByteBuf> early = new ArrayDeque<>();
  private @Nullable StreamSession session;
  private volatile @Nullable TerminalSize size;
  private boolean ready;
  private boolean started;
  private boolean inputEnded;
  private boolean gone;

  RemoteCommand(StreamingBackend backend, StreamRequest.Command request, CommandWire wire) {
    this.backend = backend;
    this.request = request;
    this.wire = wire;
    boolean noOutput = !request.stdout() && !request.stderr();
    int outputs =
        request.tty() ? 1 : noOutput ? 2 : (request.stdout() ? 1 : 0) + (request.stderr() ? 1 : 0);
    this.outputsLeft = new AtomicInteger(outputs);
  }

  // From the wire, on its event loop.

  /** All streams are there. */
  void start() {
    ready = true;
    if (request.tty() && size == null) {
      wire.eventLoop().schedule(this::startNow, SIZE_WAIT_MILLIS, TimeUnit.MILLISECONDS);
    } else {
      startNow();
    }
  }

  private void startNow() {
    if (!started && !gone) {
      started = true;
      Thread.ofVirtual().name(request.verb()).start(this::run);
    }
  }

  /** Input for the process; the buffer is the caller's to release. */
  void input(ByteBuf data) {
    if (inputEnded || gone || !request.stdin()) {
      return;
    }
    StreamSession to = session;
    if (to == null) {
      early.add(data.retainedDuplicate());
      if (!request.tty() || ready) {
        wire.holdInput(true);
      }
    } else {
      pass(to, data);
    }
  }

  private void pass(StreamSession to, ByteBuf data) {
    boolean more = true;
    for (ByteBuffer part : data.nioBuffers()) {
      more = to.input(part);
    }
    if (!more) {
      wire.holdInput(true);
    }
  }

  /** The client sends no more input. */
  void endInput() {
    inputEnded = true;
    StreamSession to = session;
    if (to != null) {
      to.endInput();
    }
  }

  /** A piece of the stream of window sizes. */
  void resize(ByteBuf data) {
    resizes.decode(
        data,
        newSize -> {
          size = newSize;
          StreamSession to = session;
          if (to != null) {
            to.resize(newSize);
          }
          if (ready) {
            startNow();
          }
        });
  }

  /** The connection takes more output again. */
  void writable() {
    StreamSession to = session;
    if (to != null) {
      to.resume(OutputStreamKind.STDOUT);
      to.resume(OutputStreamKind.STDERR);
    }
  }

  /** The client has left. */
  void disconnected() {
    gone = true;
    releaseEarly();
    StreamSession left = session;
    if (left != null) {
      left.close();
    }
  }

  /** The client did not do what it must. */
  void fail(String message) {
    finish(new CommandStatus.Failed(message));
  }

  private void joined(StreamSession made) {
    if (gone) {
      made.close();
      return;
    }
    session = made;
    wire.joined();
    TerminalSize known = size;
    if (known != null) {
      made.resize(known);
    }
    wire.holdInput(false);
    for (ByteBuf data = early.poll(); data != null; data = early.poll()) {
      try {
        pass(made, data);
      } finally {
        data.release();
      }
    }
    if (inputEnded) {
      made.endInput();
    }
    // A resume may have been missed while there was no session to tell.
    if (wire.isWritable()) {
      writable();
    }
  }

  private void releaseEarly() {
    for (ByteBuf data = early.poll(); data != null; data = early.poll()) {
      data.release();
    }
  }

  // On a virtual thread.

  private void run() {
    try {
      switch (request) {
        case StreamRequest.Exec(var containerId, var exec) -> {
          ExecSession made = backend.exec(containerId, exec, this);
          join(made);
          finish(CommandStatus.ofExitCode(made.awaitExit()));
        }
        case StreamRequest.Attach(var containerId, var attach, var tty) -> {
          StreamSession made = backend.attach(containerId, attach, this);
          join(made);
        }
      }
    } catch (JrtException e) {
      finish(new CommandStatus.Failed(String.valueOf(e.getMessage())));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      finish(new CommandStatus.Failed("interrupted"));
    } catch (RuntimeException e) {
      LOG.error("{} failed", request.verb(), e);
      finish(new CommandStatus.Failed(request.verb() + " failed: " + e.getMessage()));
    }
  }

  private void join(StreamSession made) {
    try {
      wire.eventLoop().execute(() -> joined(made));
    } catch (RejectedExecutionException e) {
      made.close(); // the server was closed meanwhile
    }
  }

  private void finish(CommandStatus status) {
    if (finished.compareAndSet(false, true)) {
      try {
        wire.finish(status);
      } catch (RejectedExecutionException e) {
        LOG.debug("{} ended after the server was closed", request.verb());
      }
    }
  }

  // From the process, on threads of the I/O engine.

  @Override
  public boolean output(OutputStreamKind stream, ByteBuffer bytes) {
    return wire.output(stream, bytes);
  }

  @Override
  public void end(OutputStreamKind stream) {
    wire.end(stream);
    if (outputsLeft.decrementAndGet() == 0 && request instanceof StreamRequest.Attach) {
      finish(new CommandStatus.Success());
    }
  }

  @Override
  public void inputReady() {
    // On the event loop, hence after the hold that the same piece of input caused.
    wire.eventLoop().execute(() -> wire.holdInput(false));
  }

  @Override
  public void dropped(String reason) {
    finish(new CommandStatus.Failed(reason));
  }

  @Override
  public Optional<TerminalSize> initialSize() {
    return Optional.ofNullable(size);
  }
}
