package io.jrt.volumes;

import io.jrt.linux.Fd;
import java.util.Optional;

/**
 * What all mounts of one container share.
 *
 * @param owner id of the container, for the use counts of named volumes and for messages
 * @param userNamespace the pod's user namespace; idmapped mounts and tmpfs take their ids from it
 * @param mountLabel the SELinux label of content that is to be relabelled, empty where SELinux is
 *     off
 */
public record MountContext(String owner, Optional<Fd> userNamespace, String mountLabel) {

  /** A container in the node's user namespace, without labels. */
  public static MountContext of(String owner) {
    return new MountContext(owner, Optional.empty(), "");
  }
}
