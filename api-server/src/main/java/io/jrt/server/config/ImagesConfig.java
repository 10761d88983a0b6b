package io.jrt.server.config;

import io.jrt.image.ImageStoreConfig;
import io.jrt.image.policy.Policies;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Where images come from, and what pulling may take. */
public record ImagesConfig(
    @Doc("k3s' registries.yaml: mirrors, credentials and certificates. Empty reads none.")
        String registriesYaml,
    @Doc("Directories with REGISTRY/hosts.toml, as containerd reads them.") List<Path> hostsDirs,
    @Doc("docker's config.json, for credentials. Empty reads none.") String dockerConfig,
    @Doc("Registries (host:port) that may be asked over plain HTTP; those on loopback always may.")
        List<String> insecureRegistries,
    @Doc(
            "Rules of who may come: [[signature]] (cosign keys) and [[harbor]] (scan results), by"
                + " image pattern. Empty lets every image come.")
        String policyFile,
    @Doc("Images that the kubelet must not collect as garbage.") List<String> pinned,
    @Doc(
            "Directories whose archives are imported, and whose *.txt files name images to pull: at"
                + " the start and as they appear. Such images are pinned.")
        @Live
        List<Path> importDirs,
    @Doc("Images pulled at once.") int parallelPulls,
    @Doc("Layers fetched at once, of all pulls together.") int parallelLayers,
    @Doc(
            "A layer of more bytes is fetched in ranges side by side, by connections that"
                + " parallel-layers leaves free, where the registry serves ranges; 0 is never.")
        ByteSize rangeBytes,
    @Doc("Bytes fetched each second by all pulls together; 0 is no limit.") ByteSize bytesPerSecond,
    @Doc("A pull that gets no byte for so long fails.") Duration noProgress,
    @Doc("Uncompressed bytes that one layer may have.") ByteSize maxLayerSize,
    @Doc("Files that one layer may have.") long maxLayerEntries,
    @Doc("How many times its compressed size a layer above 1 GiB may have.") int maxExpansion,
    @Doc("Bytes that must stay free on the file system.") ByteSize keepFree) {

  public static final ImagesConfig DEFAULT = defaults();

  public ImagesConfig {
    hostsDirs = List.copyOf(hostsDirs);
    insecureRegistries = List.copyOf(insecureRegistries);
    pinned = List.copyOf(pinned);
    importDirs = List.copyOf(importDirs);
  }

  private static ImagesConfig defaults() {
    ImageStoreConfig.Registries registries = ImageStoreConfig.Registries.DEFAULT;
    ImageStoreConfig.Limits limits = ImageStoreConfig.Limits.DEFAULT;
    return new ImagesConfig(
        registries.registriesYaml().map(Path::toString).orElse(""),
        registries.hostsDirs(),
        registries.dockerConfig().map(Path::toString).orElse(""),
        registries.insecure(),
        "",
        List.of(),
        List.of(Path.of("/var/lib/rancher/k3s/agent/images")),
        limits.parallelPulls(),
        limits.parallelLayers(),
        new ByteSize(limits.rangeBytes()),
        new ByteSize(limits.bytesPerSecond()),
        limits.noProgress(),
        new ByteSize(limits.maxLayerBytes()),
        limits.maxLayerEntries(),
        limits.maxExpansion(),
        new ByteSize(limits.keepFree()));
  }

  /** As the image store takes it. */
  public ImageStoreConfig toStore(Path root) {
    var registries =
        new ImageStoreConfig.Registries(
            path(registriesYaml), hostsDirs, path(dockerConfig), insecureRegistries);
    return new ImageStoreConfig(
        root,
        registries,
        new ImageStoreConfig.Limits(
            parallelPulls,
            parallelLayers,
            rangeBytes.bytes(),
            bytesPerSecond.bytes(),
            noProgress,
            maxLayerSize.bytes(),
            maxLayerEntries,
            maxExpansion,
            keepFree.bytes()),
        path(policyFile).map(file -> Policies.of(file, registries)).orElse(List.of()));
  }

  private static Optional<Path> path(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
  }
}
