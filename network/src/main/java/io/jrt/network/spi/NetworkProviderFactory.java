package io.jrt.network.spi;

import io.jrt.network.NetworkProvider;

/**
 * Makes a network provider. Found by {@link java.util.ServiceLoader}; chosen by its name in the
 * configuration.
 */
public interface NetworkProviderFactory {
  /** The name that the configuration chooses it by. */
  String name();

  /** Makes a provider. It reads what earlier instances left in the context's directories. */
  NetworkProvider create(NetworkContext context);
}
