package io.jrt.it;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.NamespaceKind;
import io.jrt.linux.Namespaces;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** A network namespace that plays the machine's own for a daemon, so that it is gone afterwards. */
record OwnNetwork(Path file) implements AutoCloseable {
  static OwnNetwork make(Path file) throws IOException {
    Kernel.open().namespaces().create(Map.of(NamespaceKind.NET, file));
    OwnNetwork made = new OwnNetwork(file);
    made.run("ip", "link", "set", "lo", "up");
    return made;
  }

  /** What precedes a command that is to run in it. */
  List<String> prefix() {
    return List.of("nsenter", "--net=" + file);
  }

  /** Runs a program in it and answers what it wrote. */
  String run(String... command) throws IOException {
    List<String> all = Stream.concat(prefix().stream(), Stream.of(command)).toList();
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException(all + ": " + output);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return output;
  }

  /** Runs where sockets that are made belong to this network for good. */
  <T> T call(Callable<T> body) throws Exception {
    Namespaces namespaces = Kernel.open().namespaces();
    try (Fd network = namespaces.open(file)) {
      return namespaces.inNetns(network, body);
    }
  }

  @Override
  public void close() {
    Kernel.open().namespaces().unpin(Set.of(file));
  }
}
