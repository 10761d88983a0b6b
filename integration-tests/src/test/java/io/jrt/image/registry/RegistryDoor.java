package io.jrt.image.registry;

import io.jrt.image.ImageStoreConfig.Registries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.NullMarked;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class RegistryDoor {
  private static final List<String> NAMES = List.of("docker.io", "r.example:5000", "a", "*");

  private RegistryDoor() {}

  public static void registriesYaml(Path directory, byte[] bytes) throws IOException {
    Path file = Files.write(directory.resolve("registries.yaml"), bytes);
    Registries config = new Registries(Optional.of(file), List.of(), Optional.empty(), List.of());
    for (String name : NAMES) {
      new RegistryHosts(config).endpoints(name);
    }
  }

  public static void hostsToml(Path directory, byte[] bytes) throws IOException {
    Path place = Files.createDirectories(directory.resolve("hosts/docker.io"));
    Files.write(place.resolve("hosts.toml"), bytes);
    Registries config =
        new Registries(
            Optional.empty(), List.of(directory.resolve("hosts")), Optional.empty(), List.of());
    new RegistryHosts(config).endpoints("docker.io");
  }

  /** Without credential helpers: they are programs. */
  public static void dockerConfig(Path directory, byte[] bytes) throws IOException {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    if (text.contains("elper") || text.contains("Store") || text.contains("\\u")) {
      return;
    }
    Path file = Files.write(directory.resolve("config.json"), bytes);
    for (String name : NAMES) {
      DockerConfig.credential(Optional.of(file), name, name, false);
    }
  }

  public static void challenge(byte[] bytes) {
    Challenge.parse(List.of(new String(bytes, StandardCharsets.ISO_8859_1)));
  }
}
