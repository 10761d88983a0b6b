package io.jrt.network;

/**
 * Whether pods can be connected now: the source of CRI's NetworkReady condition.
 *
 * @param ready whether {@link NetworkProvider#attach} can be expected to work
 * @param reason one CamelCase word, "" when ready; {@code NetworkPluginNotReady} as kubelet knows
 *     it
 * @param message why not, for people; "" when ready
 */
public record NetworkStatus(boolean ready, String reason, String message) {
  public static final NetworkStatus READY = new NetworkStatus(true, "", "");

  /** The network is not ready for the given cause. */
  public static NetworkStatus notReady(String message) {
    return new NetworkStatus(false, "NetworkPluginNotReady", message);
  }
}
