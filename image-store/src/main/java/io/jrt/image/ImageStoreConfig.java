package io.jrt.image;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a store works.
 *
 * @param root directory of the store; made 0700 when missing
 * @param registries where mirrors and credentials are configured
 * @param limits of the node for all pulls together
 * @param policies who is asked before an image is unpacked, in this order
 */
public record ImageStoreConfig(
    Path root, Registries registries, Limits limits, List<ImagePolicy> policies) {

  public ImageStoreConfig {
    policies = List.copyOf(policies);
  }

  /** A store with every default, below a directory. */
  public static ImageStoreConfig at(Path root) {
    return new ImageStoreConfig(root, Registries.DEFAULT, Limits.DEFAULT, List.of());
  }

  /**
   * Where mirrors and credentials are configured. The files are read again at each pull; a missing
   * one is no error.
   *
   * @param registriesYaml k3s' registries.yaml
   * @param hostsDirs directories with {@code <registry>/hosts.toml} as containerd reads them
   * @param dockerConfig docker's config.json with credentials and credential helpers
   * @param insecure registries ({@code host:port}) that may be asked over plain HTTP; loopback ones
   *     may always
   */
  public record Registries(
      Optional<Path> registriesYaml,
      List<Path> hostsDirs,
      Optional<Path> dockerConfig,
      List<String> insecure) {

    /** The usual places. */
    public static final Registries DEFAULT =
        new Registries(
            Optional.of(Path.of("/etc/rancher/k3s/registries.yaml")),
            List.of(Path.of("/etc/jrt/certs.d"), Path.of("/etc/containerd/certs.d")),
            Optional.of(Path.of("/etc/jrt/docker-config.json")),
            List.of());

    /** Reads no file at all. */
    public static final Registries NONE =
        new Registries(Optional.empty(), List.of(), Optional.empty(), List.of());

    public Registries {
      hostsDirs = List.copyOf(hostsDirs);
      insecure = List.copyOf(insecure);
    }
  }

  /**
   * Limits of the node.
   *
   * @param parallelPulls images at once
   * @param parallelLayers layers at once, of all pulls together
   * @param rangeBytes a layer of more bytes comes in ranges side by side, by connections that other
   *     layers leave; 0 is never
   * @param bytesPerSecond fetched by all pulls together; 0 is no limit
   * @param noProgress a pull that gets no byte for so long fails
   * @param maxLayerBytes uncompressed bytes of one layer
   * @param maxLayerEntries files of one layer
   * @param maxExpansion how many times its compressed size a layer above 1 GiB may have
   * @param keepFree bytes that must stay free on the filesystem
   */
  public record Limits(
      int parallelPulls,
      int parallelLayers,
      long rangeBytes,
      long bytesPerSecond,
      Duration noProgress,
      long maxLayerBytes,
      long maxLayerEntries,
      int maxExpansion,
      long keepFree) {

    /** Limits that suit most nodes. */
    public static final Limits DEFAULT =
        new Limits(
            8, 6, 32L << 20, 0, Duration.ofMinutes(2), 256L << 30, 4_000_000, 250, 64L << 20);
  }
}
