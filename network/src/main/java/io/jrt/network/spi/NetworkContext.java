package io.jrt.network.spi;

import io.jrt.linux.Kernel;
import io.jrt.network.NetworkConfig;
import java.nio.file.Path;

/**
 * What the daemon hands to a network provider.
 *
 * @param kernel the way to the kernel
 * @param instanceId names this daemon among those on the host: 1 to 8 characters of {@code
 *     [a-z0-9]}, the same after every restart. Interfaces and rules carry it in their names
 * @param rootDir a directory of the provider's own that survives reboots
 * @param stateDir a directory of the provider's own that may vanish with the boot
 */
public record NetworkContext(
    Kernel kernel, String instanceId, Path rootDir, Path stateDir, NetworkConfig config) {
  public NetworkContext {
    if (!instanceId.matches("[a-z0-9]{1,8}")) {
      throw new IllegalArgumentException("instance id \"" + instanceId + "\"");
    }
  }
}
