package io.jrt.core.io;

import io.jrt.core.TerminalSize;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Terminals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The readers and the writer of one process's standard streams. */
final class ProcessStreams {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessStreams.class);

  private final Kernel kernel;
  private final List<OutputReader> outputs = new ArrayList<>(2);
  private final @Nullable InputWriter input;
  private final @Nullable Fd terminal;

  ProcessStreams(IoEngine engine, Kernel kernel, Stdio stdio, @Nullable ContainerLog log) {
    this.kernel = kernel;
    Files files = kernel.files();
    switch (stdio) {
      case Stdio.Outputs(Fd stdout, Fd stderr) -> {
        addOutput(engine, stdout, OutputStreamKind.STDOUT, log);
        addOutput(engine, stderr, OutputStreamKind.STDERR, log);
        input = null;
        terminal = null;
      }
      case Stdio.Pipes(Fd stdin, Fd stdout, Fd stderr) -> {
        addOutput(engine, stdout, OutputStreamKind.STDOUT, log);
        addOutput(engine, stderr, OutputStreamKind.STDERR, log);
        input = new InputWriter(engine.poller(), files, nonBlocking(stdin));
        terminal = null;
      }
      case Stdio.Terminal(Fd master, boolean takesInput) -> {
        addOutput(engine, master, OutputStreamKind.STDOUT, log);
        // Descriptors of their own: one cannot be watched twice, and the reader closes its own.
        input = takesInput ? new InputWriter(engine.poller(), files, files.dup(master)) : null;
        terminal = files.dup(master);
      }
    }
  }

  private void addOutput(
      IoEngine engine, Fd fd, OutputStreamKind kind, @Nullable ContainerLog log) {
    outputs.add(new OutputReader(engine, kernel.files(), nonBlocking(fd), kind, log));
  }

  private Fd nonBlocking(Fd fd) {
    Files files = kernel.files();
    files.setStatusFlags(fd, files.statusFlags(fd) | OpenFlags.O_NONBLOCK);
    return fd;
  }

  void start() {
    outputs.forEach(OutputReader::start);
  }

  List<OutputReader> outputs() {
    return outputs;
  }

  @Nullable InputWriter input() {
    return input;
  }

  boolean isTerminal() {
    return terminal != null;
  }

  boolean isOver() {
    return outputs.stream().allMatch(OutputReader::isOver);
  }

  long bytes(OutputStreamKind kind) {
    return outputs.stream().filter(o -> o.kind() == kind).mapToLong(OutputReader::bytes).sum();
  }

  void resize(TerminalSize size) {
    Fd fd = terminal;
    if (fd == null || !fd.isOpen()) {
      return;
    }
    try {
      kernel.terminals().setWindowSize(fd, new Terminals.WindowSize(size.rows(), size.columns()));
    } catch (KernelException | IllegalStateException e) {
      LOG.debug("the terminal is gone, its size stays: {}", e.getMessage());
    }
  }

  void finish() {
    outputs.forEach(OutputReader::finish);
  }

  void cutOff() {
    outputs.forEach(OutputReader::cutOff);
  }

  void letGo() {
    outputs.forEach(OutputReader::letGo);
  }

  /** Waits until all outputs are over; answers false when the time is up before. */
  boolean awaitOver(Duration limit) throws InterruptedException {
    long until = System.nanoTime() + limit.toNanos();
    for (OutputReader output : outputs) {
      if (!output.awaitOver(Duration.ofNanos(Math.max(0, until - System.nanoTime())))) {
        return false;
      }
    }
    return true;
  }

  /** Closes what is not an output: those close themselves when they end. */
  void closeInputAndTerminal() {
    InputWriter in = input;
    if (in != null) {
      in.close();
    }
    Fd fd = terminal;
    if (fd != null) {
      fd.close();
    }
  }
}
