package io.jrt.network.bridge;

import io.jrt.network.NetworkProvider;
import io.jrt.network.spi.NetworkContext;
import io.jrt.network.spi.NetworkProviderFactory;

/** Makes the built-in network. */
public final class BridgeNetworkFactory implements NetworkProviderFactory {
  @Override
  public String name() {
    return "bridge";
  }

  @Override
  public NetworkProvider create(NetworkContext context) {
    return new BridgeNetworkProvider(context);
  }
}
