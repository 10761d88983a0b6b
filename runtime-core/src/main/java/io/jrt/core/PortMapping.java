package io.jrt.core;

/**
 * A port of the pod that is to be reached through the node.
 *
 * @param hostPort 0 when none was asked for
 * @param hostIp empty for every address of the node
 */
public record PortMapping(Protocol protocol, int containerPort, int hostPort, String hostIp) {

  /** The transport protocols that can be mapped. */
  public enum Protocol {
    TCP,
    UDP,
    SCTP
  }
}
