package io.jrt.core.life;

import io.jrt.core.store.Layout;
import io.jrt.network.AttachRequest;
import io.jrt.network.Attachment;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkStatus;
import io.jrt.network.PodRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** A network that gives a pod an address that leads nowhere; a file tells who is attached. */
final class LoopbackNetwork implements NetworkProvider {
  private final Path directory;

  LoopbackNetwork(Path directory) {
    this.directory = Layout.makeDirectory(directory);
  }

  @Override
  public String name() {
    return "loopback";
  }

  @Override
  public NetworkStatus status() {
    return NetworkStatus.READY;
  }

  @Override
  public Attachment attach(AttachRequest request) {
    String id = request.pod().sandboxId();
    try {
      Files.writeString(directory.resolve(id), "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Attachment(id, "lo", List.of("127.0.0.1"), "", 0);
  }

  @Override
  public void check(AttachRequest request) {}

  @Override
  public void detach(PodRef pod) {
    remove(directory.resolve(pod.sandboxId()));
  }

  @Override
  public void gc(Set<String> validSandboxIds) {
    try (Stream<Path> attached = Files.list(directory)) {
      attached
          .filter(file -> !validSandboxIds.contains(file.getFileName().toString()))
          .forEach(LoopbackNetwork::remove);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void cleanupAll() {
    gc(Set.of());
  }

  @Override
  public void close() {}
}
