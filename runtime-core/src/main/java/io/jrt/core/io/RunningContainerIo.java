package io.jrt.core.io;

import io.jrt.core.TerminalSize;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** {@link ContainerIo} as {@link IoEngine} makes it. */
final class RunningContainerIo implements ContainerIo {
  private static final Duration LAST_WORDS = Duration.ofSeconds(2);

  private final IoEngine engine;
  private final ContainerIoSpec spec;
  private final ProcessStreams streams;
  private final @Nullable ContainerLog log;

  RunningContainerIo(
      IoEngine engine, ContainerIoSpec spec, ProcessStreams streams, @Nullable ContainerLog log) {
    this.engine = engine;
    this.spec = spec;
    this.streams = streams;
    this.log = log;
  }

  @Override
  public StreamSession attach(AttachRequest request, StreamClient client) {
    return attach(request, client, false);
  }

  @Override
  public StreamSession foreground(AttachRequest request, StreamClient client) {
    return attach(request, client, true);
  }

  private StreamSession attach(AttachRequest request, StreamClient client, boolean mayHoldForEver) {
    if (streams.isOver()) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "attach",
          "the streams of container " + spec.containerId() + " have ended");
    }
    ClientSession session =
        new ClientSession(streams, client, request, spec.stdinOnce(), mayHoldForEver);
    client.initialSize().ifPresent(session::resize);
    session.start();
    return session;
  }

  @Override
  public void resize(TerminalSize size) {
    streams.resize(size);
  }

  @Override
  public void reopenLog() {
    ContainerLog to = log;
    if (to != null) {
      to.reopen();
    }
  }

  @Override
  public boolean finish(Duration limit) {
    boolean all = false;
    try {
      streams.finish();
      all = streams.awaitOver(limit);
      if (!all) {
        streams.outputs().forEach(output -> output.dropAll("the container has ended"));
        all = streams.awaitOver(LAST_WORDS);
      }
      if (!all) {
        streams.cutOff();
        streams.awaitOver(LAST_WORDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      streams.cutOff();
    }
    streams.closeInputAndTerminal();
    ContainerLog to = log;
    if (to != null) {
      to.delete();
    }
    engine.forget(this);
    return all;
  }

  @Override
  public IoStats stats() {
    ContainerLog to = log;
    return new IoStats(
        streams.bytes(OutputStreamKind.STDOUT),
        streams.bytes(OutputStreamKind.STDERR),
        to == null ? 0 : to.droppedBytes());
  }

  @Override
  public void close() {
    streams.letGo();
    try {
      streams.awaitOver(LAST_WORDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    streams.closeInputAndTerminal();
    ContainerLog to = log;
    if (to != null) {
      to.close();
    }
    engine.forget(this);
  }
}
