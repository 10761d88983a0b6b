package io.jrt.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Prints what a package is made of, and under which licences, from its CycloneDX document. */
public final class Components {
  private Components() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      throw new IllegalArgumentException("usage: Components SBOM.json");
    }
    JsonNode sbom = JsonMapper.shared().readTree(Files.readString(Path.of(args[0])));
    List<String> lines = new ArrayList<>();
    for (JsonNode component : sbom.path("components")) {
      lines.add(
          "%s %s: %s"
              .formatted(
                  component.path("name").asString(),
                  component.path("version").asString(),
                  licences(component.path("licenses"))));
    }
    lines.stream().sorted().forEach(System.out::println);
  }

  private static String licences(JsonNode all) {
    List<String> names = new ArrayList<>();
    for (JsonNode each : all) {
      JsonNode licence = each.path("license");
      names.add(
          each.has("expression")
              ? each.path("expression").asString()
              : licence.path(licence.has("id") ? "id" : "name").asString());
    }
    return names.isEmpty() ? "see its own files" : String.join(" or ", names);
  }
}
