package io.jrt.core.device;

import java.util.List;

/**
 * A GPU, or a part of one, as it was found on the node.
 *
 * @param cdiName under which a container may ask for it
 * @param uuid the vendor's name for this very device, or empty
 * @param name the model
 * @param pciAddress such as {@code 0000:65:00.0}
 * @param nodes its own device files, as paths of the node
 * @param memoryBytes 0 when not known
 * @param memoryUsed 0 when not known
 */
public record Gpu(
    String cdiName,
    String uuid,
    String name,
    String pciAddress,
    List<String> nodes,
    long memoryBytes,
    long memoryUsed) {
  public Gpu {
    nodes = List.copyOf(nodes);
  }
}
