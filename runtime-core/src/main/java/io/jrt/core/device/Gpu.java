package io.jrt.core.device;

import java.util.List;
import java.util.OptionalInt;

/**
 * A GPU, or a part of one, as it was found on the node.
 *
 * @param cdiName under which a container may ask for it
 * @param uuid the vendor's name for this very device, or empty
 * @param name the model
 * @param driver of the kernel, with its version when it says one
 * @param pciAddress such as {@code 0000:65:00.0}
 * @param nodes its own device files, as paths of the node
 * @param use how much of it is in use
 */
public record Gpu(
    String cdiName,
    String uuid,
    String name,
    String driver,
    String pciAddress,
    List<String> nodes,
    Use use) {
  public Gpu {
    nodes = List.copyOf(nodes);
  }

  /**
   * What is in use.
   *
   * @param memoryBytes of the whole; 0 when not known
   * @param memoryUsed 0 when not known
   * @param busyPercent of the time in which it computes
   */
  public record Use(long memoryBytes, long memoryUsed, OptionalInt busyPercent) {
    static final Use UNKNOWN = new Use(0, 0, OptionalInt.empty());
  }
}
