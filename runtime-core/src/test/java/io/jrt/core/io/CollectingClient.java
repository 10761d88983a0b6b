package io.jrt.core.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** A client that keeps all it gets. */
final class CollectingClient implements StreamClient {
  private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
  private final Set<OutputStreamKind> ended = EnumSet.noneOf(OutputStreamKind.class);
  private final List<String> drops = new ArrayList<>();
  private boolean welcome = true;
  private int inputReady;

  @Override
  public synchronized boolean output(OutputStreamKind stream, ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    (stream == OutputStreamKind.STDOUT ? stdout : stderr).writeBytes(copy);
    notifyAll();
    return welcome;
  }

  @Override
  public synchronized void end(OutputStreamKind stream) {
    if (!ended.add(stream)) {
      throw new IllegalStateException(stream + " ended twice");
    }
    notifyAll();
  }

  @Override
  public synchronized void inputReady() {
    inputReady++;
    notifyAll();
  }

  @Override
  public synchronized void dropped(String reason) {
    drops.add(reason);
    notifyAll();
  }

  synchronized void welcome(boolean more) {
    welcome = more;
  }

  synchronized String stdout() {
    return stdout.toString(StandardCharsets.UTF_8);
  }

  synchronized String stderr() {
    return stderr.toString(StandardCharsets.UTF_8);
  }

  synchronized void awaitEnd() throws InterruptedException {
    while (ended.size() < 2) {
      wait();
    }
  }

  synchronized void awaitBytes(int count) throws InterruptedException {
    while (stdout.size() + stderr.size() < count) {
      wait();
    }
  }

  synchronized List<String> drops() {
    return List.copyOf(drops);
  }

  synchronized void awaitDrop() throws InterruptedException {
    while (drops.isEmpty()) {
      wait();
    }
  }

  synchronized void awaitInputReady() throws InterruptedException {
    while (inputReady == 0) {
      wait();
    }
  }
}
