package io.jrt.network.cni;

import io.jrt.network.NetworkProvider;
import io.jrt.network.spi.NetworkContext;
import io.jrt.network.spi.NetworkProviderFactory;

/** Makes the network that CNI plugins provide. */
public final class CniNetworkFactory implements NetworkProviderFactory {
  @Override
  public String name() {
    return "cni";
  }

  @Override
  public NetworkProvider create(NetworkContext context) {
    return new CniNetworkProvider(context);
  }
}
