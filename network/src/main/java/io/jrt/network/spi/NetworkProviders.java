package io.jrt.network.spi;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.network.NetworkProvider;
import java.util.List;
import java.util.ServiceLoader;

/** Finds the network provider that the configuration names. */
public final class NetworkProviders {
  private NetworkProviders() {}

  /** Makes the provider named in the context's configuration. */
  public static NetworkProvider open(NetworkContext context) {
    List<NetworkProviderFactory> known =
        ServiceLoader.load(NetworkProviderFactory.class).stream()
            .map(ServiceLoader.Provider::get)
            .toList();
    String wanted = context.config().provider();
    return known.stream()
        .filter(factory -> factory.name().equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new JrtException(
                    ErrorKind.INVALID,
                    "start network",
                    "no network provider is called \"" + wanted + "\"",
                    "known are "
                        + String.join(
                            ", ",
                            known.stream().map(NetworkProviderFactory::name).sorted().toList()),
                    null))
        .create(context);
  }
}
