package io.jrt.server.admin;

import io.jrt.admin.v1.Finding;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Whether registries can be reached from here: by name, and by a connection. */
final class RegistryProbe {
  private static final int PATIENCE_MILLIS = 3000;
  private static final int HTTPS = 443;

  private RegistryProbe() {}

  /** One finding for each registry, all asked at once. */
  static List<Finding> findings(Set<String> registries) {
    List<Finding> findings = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Finding>> asked =
          registries.stream().map(name -> threads.submit(() -> ask(name))).toList();
      for (Future<Finding> answer : asked) {
        findings.add(answer.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
    return findings;
  }

  private static Finding ask(String registry) {
    String named = registry.equals("docker.io") ? "registry-1.docker.io" : registry;
    int colon = named.lastIndexOf(':');
    boolean hasPort = colon > 0 && named.substring(colon + 1).matches("\\d{1,5}");
    String host = (hasPort ? named.substring(0, colon) : named).replaceAll("[\\[\\]]", "");
    int port = hasPort ? Integer.parseInt(named.substring(colon + 1)) : HTTPS;
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getByName(host), port), PATIENCE_MILLIS);
      return Doctor.good("registry", registry + " can be reached");
    } catch (UnknownHostException e) {
      return unreached(registry, "its name is not known here", "look at /etc/resolv.conf");
    } catch (IOException | IllegalArgumentException e) {
      return unreached(registry, String.valueOf(e.getMessage()), "look at routes and firewalls");
    }
  }

  private static Finding unreached(String registry, String why, String remedy) {
    return Doctor.warning(
        "registry",
        "%s cannot be reached: %s".formatted(registry, why),
        remedy + "; with a mirror or a proxy for it this is right");
  }
}
