package io.jrt.image.policy;

import io.jrt.image.ImagePolicy;
import io.jrt.image.ImageStoreConfig.Registries;
import io.jrt.image.registry.HarborApi;
import io.jrt.image.registry.Proxies;
import io.jrt.image.registry.RegistryHosts;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;

/** The policies of one file. */
public final class Policies {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private Policies() {}

  /**
   * Signatures first, then what scanners found.
   *
   * @param file of rules; read at every pull
   * @param registries tell the certificates and credentials of a Harbor
   */
  public static List<ImagePolicy> of(Path file, Registries registries) {
    var harbor =
        new HarborApi(new RegistryHosts(registries), Proxies.of(System.getenv()), PATIENCE);
    return List.of(
        new SignaturePolicy(file), new HarborPolicy(file, harbor, InstantSource.system()));
  }
}
