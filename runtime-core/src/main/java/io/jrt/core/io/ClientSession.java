package io.jrt.core.io;

import io.jrt.core.TerminalSize;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A client joined to the streams of a process. */
final class ClientSession implements StreamSession {
  private final ProcessStreams streams;
  private final StreamClient client;
  private final @Nullable InputWriter input;
  private final boolean inputEndsWithClient;
  private final boolean mayHoldForEver;
  private final List<View> views = new ArrayList<>(2);
  private final AtomicBoolean closed = new AtomicBoolean();
  private final AtomicBoolean inputEnded = new AtomicBoolean();

  /**
   * @param inputEndsWithClient whether the process's stdin ends when this client ends its own
   * @param mayHoldForEver whether the client may hold the process without limit
   */
  ClientSession(
      ProcessStreams streams,
      StreamClient client,
      AttachRequest request,
      boolean inputEndsWithClient,
      boolean mayHoldForEver) {
    this.streams = streams;
    this.client = client;
    this.input = request.stdin() ? streams.input() : null;
    this.inputEndsWithClient = inputEndsWithClient;
    this.mayHoldForEver = mayHoldForEver;
    boolean inputOnly = !request.stdout() && !request.stderr();
    for (OutputReader reader : streams.outputs()) {
      boolean wanted =
          switch (reader.kind()) {
            case STDOUT -> request.stdout();
            case STDERR -> request.stderr();
          };
      if (wanted || inputOnly) {
        views.add(new View(reader, wanted));
      }
    }
  }

  /** Begins to hand output to the client. */
  void start() {
    for (View view : views) {
      if (!view.reader.add(view)) {
        view.end(true);
      }
    }
  }

  @Override
  public void resume(OutputStreamKind stream) {
    for (View view : views) {
      if (view.reader.kind() == stream) {
        view.pausedSince = 0;
        view.reader.wake();
      }
    }
  }

  @Override
  public boolean input(ByteBuffer bytes) {
    InputWriter to = input;
    if (to == null || closed.get() || inputEnded.get()) {
      bytes.position(bytes.limit());
      return true;
    }
    return to.write(client, bytes);
  }

  @Override
  public void endInput() {
    if (input != null
        && inputEndsWithClient
        && !streams.isTerminal()
        && inputEnded.compareAndSet(false, true)) {
      input.end();
    }
  }

  @Override
  public void resize(TerminalSize size) {
    if (!closed.get()) {
      streams.resize(size);
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      for (View view : views) {
        view.reader.remove(view);
      }
      endInput();
    }
  }

  boolean isClosed() {
    return closed.get();
  }

  /** What one output of the process is to this client. */
  private final class View implements OutputSubscriber {
    private final OutputReader reader;
    private final boolean wanted;

    /** When the client asked for a pause, in {@link System#nanoTime}; 0 when it runs. */
    private volatile long pausedSince;

    /**
     * @param wanted false when only the stream's end matters
     */
    View(OutputReader reader, boolean wanted) {
      this.reader = reader;
      this.wanted = wanted;
    }

    @Override
    public void output(ByteBuffer bytes) {
      if (!wanted || closed.get()) {
        return;
      }
      // Marked before the call, so that a resume that comes during it is not lost.
      pausedSince = System.nanoTime() | 1;
      if (client.output(reader.kind(), bytes)) {
        pausedSince = 0;
      }
    }

    @Override
    public boolean isPaused() {
      return pausedSince != 0;
    }

    @Override
    public long pausedFor(long now) {
      long since = pausedSince;
      return since == 0 || mayHoldForEver ? 0 : now - since;
    }

    @Override
    public void drop(String reason) {
      if (!closed.get()) {
        close();
        client.dropped(reason);
      }
    }

    @Override
    public void end(boolean drained) {
      if (closed.get()) {
        return;
      }
      if (drained) {
        client.end(reader.kind());
      } else {
        drop("the daemon lets go of the container's streams");
      }
    }
  }
}
