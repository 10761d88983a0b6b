package io.jrt.core.io;

import io.jrt.core.TerminalSize;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.IntSupplier;

/**
 * {@link ExecSession} as {@link IoEngine} makes it. When the client leaves, the command's pipes are
 * read on to nowhere, so that it does not die of a broken pipe; its terminal is hung up.
 */
final class CommandIo implements ExecSession {
  private static final Duration FOR_EVER = Duration.ofDays(365);

  private final ProcessStreams streams;
  private final ClientSession session;
  private final IntSupplier exitCode;

  CommandIo(ProcessStreams streams, ClientSession session, IntSupplier exitCode) {
    this.streams = streams;
    this.session = session;
    this.exitCode = exitCode;
  }

  @Override
  public int awaitExit() throws InterruptedException {
    try {
      int code = exitCode.getAsInt();
      streams.finish();
      streams.awaitOver(FOR_EVER);
      return code;
    } finally {
      streams.cutOff();
      streams.closeInputAndTerminal();
    }
  }

  @Override
  public void resume(OutputStreamKind stream) {
    session.resume(stream);
  }

  @Override
  public boolean input(ByteBuffer bytes) {
    return session.input(bytes);
  }

  @Override
  public void endInput() {
    session.endInput();
  }

  @Override
  public void resize(TerminalSize size) {
    session.resize(size);
  }

  @Override
  public void close() {
    session.close();
    if (streams.isTerminal()) {
      streams.letGo();
    }
    streams.closeInputAndTerminal();
  }
}
