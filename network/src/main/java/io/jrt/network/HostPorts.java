package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which sandbox holds which ports of the host. A port is held from before the pod is attached until
 * after it is detached.
 */
public final class HostPorts {
  private final HostNamespace host;
  private final Map<String, Claim> claims = new LinkedHashMap<>();

  private record Claim(PodRef pod, List<PortMapping> mappings) {}

  public HostPorts(HostNamespace host) {
    this.host = host;
  }

  /**
   * Takes ports for a sandbox.
   *
   * @throws JrtException ({@link ErrorKind#ALREADY_EXISTS}) naming the sandbox or process that
   *     holds one of them
   */
  public void claim(PodRef pod, List<PortMapping> mappings) {
    if (mappings.isEmpty()) {
      return;
    }
    List<Listener> listeners =
        Listeners.mayBlock(host, mappings) ? Listeners.read(host) : List.of();
    synchronized (this) {
      for (PortMapping mapping : mappings) {
        for (Claim claim : claims.values()) {
          if (!claim.pod.sandboxId().equals(pod.sandboxId())
              && claim.mappings.stream().anyMatch(mapping::conflictsWith)) {
            throw taken(mapping, "pod " + claim.pod);
          }
        }
        for (Listener listener : listeners) {
          if (listener.blocks(mapping)) {
            throw taken(mapping, Listeners.holder(listener));
          }
        }
      }
      restore(pod, mappings);
    }
  }

  /** Notes ports that a sandbox has been holding since before the daemon started. */
  public synchronized void restore(PodRef pod, List<PortMapping> mappings) {
    if (!mappings.isEmpty()) {
      claims.put(pod.sandboxId(), new Claim(pod, List.copyOf(mappings)));
    }
  }

  /** Gives the ports of a sandbox back. */
  public synchronized void release(String sandboxId) {
    claims.remove(sandboxId);
  }

  private static JrtException taken(PortMapping mapping, String holder) {
    return new JrtException(
        ErrorKind.ALREADY_EXISTS,
        "attach network",
        "host port " + mapping.hostSide() + " is held by " + holder);
  }
}
