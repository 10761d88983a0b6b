package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/**
 * A port of the host that leads into a pod.
 *
 * @param protocol the transport
 * @param containerPort the port in the pod, 1 to 65535
 * @param hostPort the port on the host, 1 to 65535; mappings without a host port are not given to a
 *     provider
 * @param hostIp the only host address that is served, or "" for every address of both families
 */
public record PortMapping(Protocol protocol, int containerPort, int hostPort, String hostIp) {

  /** A transport that host ports exist for. */
  public enum Protocol {
    TCP(6),
    UDP(17),
    SCTP(132);

    private final int number;

    Protocol(int number) {
      this.number = number;
    }

    /** The protocol number in the IP header. */
    public int number() {
      return number;
    }

    /** The name as CNI and people write it: lower case. */
    public String text() {
      return switch (this) {
        case TCP -> "tcp";
        case UDP -> "udp";
        case SCTP -> "sctp";
      };
    }
  }

  public PortMapping {
    requirePort(containerPort, "container");
    requirePort(hostPort, "host");
    if (!hostIp.isEmpty()) {
      IpAddress ip = IpAddress.parse(hostIp);
      hostIp = ip.isAny() ? "" : ip.toString();
    }
  }

  /** Whether both claim the same port of the same host address. */
  public boolean conflictsWith(PortMapping other) {
    return protocol == other.protocol
        && hostPort == other.hostPort
        && (hostIp.isEmpty() || other.hostIp.isEmpty() || hostIp.equals(other.hostIp));
  }

  /** The host side for messages, such as {@code 10.0.0.1:80/tcp} or {@code *:53/udp}. */
  public String hostSide() {
    String ip = hostIp.isEmpty() ? "*" : hostIp.contains(":") ? "[" + hostIp + "]" : hostIp;
    return ip + ":" + hostPort + "/" + protocol.text();
  }

  private static void requirePort(int port, String which) {
    if (port < 1 || port > 65535) {
      throw new JrtException(
          ErrorKind.INVALID, "attach network", which + " port " + port + " is not 1 to 65535");
    }
  }
}
