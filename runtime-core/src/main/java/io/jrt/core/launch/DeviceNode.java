package io.jrt.core.launch;

/**
 * A device in the container: a node made there or, in a user namespace, the host's node bound
 * there.
 *
 * @param path in the container
 * @param hostPath the host's node of the same type and number, for the bind
 * @param mode permission bits
 */
public record DeviceNode(
    CString path, CString hostPath, Type type, int major, int minor, int mode, long uid, long gid) {
  /** What kind of node. */
  public enum Type {
    CHARACTER,
    BLOCK,
    FIFO
  }
}
