package io.jrt.image.policy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImagePolicy;
import io.jrt.image.content.Json;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * The rules of a node: a TOML file with the tables {@code [[signature]]} and {@code [[harbor]]}. Of
 * each kind, the first rule whose {@code images} match an image decides. The file is read at every
 * pull; one that is missing or wrong stops all pulls, since nobody knows what it would have denied.
 */
final class PolicyFile {
  private static final TomlMapper TOML = new TomlMapper();
  private static final Set<String> SIGNATURE_KEYS = Set.of("images", "keys", "action");
  private static final Set<String> HARBOR_KEYS =
      Set.of(
          "images",
          "action",
          "severity",
          "fixable_only",
          "ignore",
          "unscanned",
          "stale",
          "stale_after_hours",
          "unreachable",
          "url",
          "username",
          "password_file");

  /**
   * Whose signatures an image needs: that of any of the keys.
   *
   * @param keys PEM files of public keys
   */
  record SignatureRule(List<ImagePattern> images, List<Path> keys, Action action) {}

  /**
   * What Harbor may have found in an image.
   *
   * @param action when something as bad as severity was found
   * @param fixableOnly counts only what has a fixed version
   * @param ignore names of vulnerabilities that do not count
   * @param unscanned when there is no finished scan
   * @param stale when the scan is older than staleAfter
   * @param unreachable when Harbor does not say
   * @param url of Harbor where it is not the registry itself; empty for the registry
   * @param username of an account that may read artifacts; empty for the registry's credentials
   */
  record HarborRule(
      List<ImagePattern> images,
      Action action,
      Severity severity,
      boolean fixableOnly,
      List<String> ignore,
      Action unscanned,
      Action stale,
      Duration staleAfter,
      Action unreachable,
      String url,
      String username,
      Optional<Path> passwordFile) {}

  /** The rules of a file. */
  record Rules(List<SignatureRule> signatures, List<HarborRule> harbor) {
    Optional<SignatureRule> signature(ImagePolicy.Subject subject) {
      return signatures.stream().filter(rule -> matches(rule.images(), subject)).findFirst();
    }

    Optional<HarborRule> harbor(ImagePolicy.Subject subject) {
      return harbor.stream().filter(rule -> matches(rule.images(), subject)).findFirst();
    }

    private static boolean matches(List<ImagePattern> patterns, ImagePolicy.Subject subject) {
      String name = subject.registry() + "/" + subject.repository();
      return patterns.stream().anyMatch(pattern -> pattern.matches(name));
    }
  }

  private final Path file;

  PolicyFile(Path file) {
    this.file = file;
  }

  /**
   * Reads it.
   *
   * @throws JrtException FAILED_PRECONDITION
   */
  Rules read() {
    JsonNode root;
    try {
      root = TOML.readTree(Files.readAllBytes(file));
    } catch (IOException | JacksonException e) {
      throw wrong("cannot be read: " + e.getMessage(), e);
    }
    try {
      requireKnown(root, "the file", Set.of("signature", "harbor"));
      var signatures = new ArrayList<SignatureRule>();
      for (JsonNode rule : tables(root, "signature")) {
        signatures.add(signature(rule));
      }
      var harbor = new ArrayList<HarborRule>();
      for (JsonNode rule : tables(root, "harbor")) {
        harbor.add(harbor(rule));
      }
      return new Rules(List.copyOf(signatures), List.copyOf(harbor));
    } catch (JrtException e) {
      throw e.kind() == ErrorKind.FAILED_PRECONDITION
          ? e
          : wrong(String.valueOf(e.getMessage()), e);
    }
  }

  private Iterable<JsonNode> tables(JsonNode root, String name) {
    JsonNode tables = root.path(name);
    if (!tables.isMissingNode() && !tables.isArray()) {
      throw wrong("has a '" + name + "' that is no [[" + name + "]]", null);
    }
    return tables;
  }

  private SignatureRule signature(JsonNode rule) {
    requireKnown(rule, "[[signature]]", SIGNATURE_KEYS);
    List<Path> keys = Json.texts("[[signature]]", rule, "keys").stream().map(this::path).toList();
    if (keys.isEmpty()) {
      throw wrong("has a [[signature]] without keys", null);
    }
    return new SignatureRule(images(rule), keys, action(rule, "action", Action.DENY));
  }

  private HarborRule harbor(JsonNode rule) {
    requireKnown(rule, "[[harbor]]", HARBOR_KEYS);
    String word = Json.text("[[harbor]]", rule, "severity");
    Severity severity =
        word.isEmpty()
            ? Severity.HIGH
            : Severity.of(word).orElseThrow(() -> wrong("has an unknown severity '" + word + "'"));
    JsonNode hours = rule.path("stale_after_hours");
    String password = Json.text("[[harbor]]", rule, "password_file");
    return new HarborRule(
        images(rule),
        action(rule, "action", Action.DENY),
        severity,
        Json.flag("[[harbor]]", rule, "fixable_only"),
        Json.texts("[[harbor]]", rule, "ignore"),
        action(rule, "unscanned", Action.WARN),
        action(rule, "stale", Action.WARN),
        Duration.ofHours(
            hours.isMissingNode() ? 24 * 30 : Json.number("[[harbor]]", rule, "stale_after_hours")),
        action(rule, "unreachable", Action.DENY),
        url(rule),
        Json.text("[[harbor]]", rule, "username"),
        password.isEmpty() ? Optional.empty() : Optional.of(path(password)));
  }

  private String url(JsonNode rule) {
    String text = Json.text("[[harbor]]", rule, "url");
    try {
      URI url = new URI(text);
      boolean web = "https".equals(url.getScheme()) || "http".equals(url.getScheme());
      if (text.isEmpty() || (web && url.getHost() != null)) {
        return text;
      }
      throw wrong("has a [[harbor]] whose url is no web address: '" + text + "'");
    } catch (URISyntaxException e) {
      throw wrong("has a [[harbor]] whose url is no web address: " + e.getMessage(), e);
    }
  }

  private List<ImagePattern> images(JsonNode rule) {
    List<ImagePattern> images =
        Json.texts("a rule", rule, "images").stream().map(ImagePattern::new).toList();
    if (images.isEmpty()) {
      throw wrong("has a rule without images", null);
    }
    return images;
  }

  private Action action(JsonNode rule, String field, Action usual) {
    String word = Json.text("a rule", rule, field);
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "" -> usual;
      case "off" -> Action.OFF;
      case "warn" -> Action.WARN;
      case "deny" -> Action.DENY;
      default -> throw wrong("has " + field + " = '" + word + "', not off, warn or deny", null);
    };
  }

  /** A key that means nothing is a rule that somebody believes in. */
  private void requireKnown(JsonNode table, String where, Set<String> known) {
    for (var entry : table.properties()) {
      if (!known.contains(entry.getKey())) {
        throw wrong("has an unknown key '" + entry.getKey() + "' in " + where, null);
      }
    }
  }

  private Path path(String text) {
    Path directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    return Json.path("a rule", directory, text);
  }

  private JrtException wrong(String why) {
    return wrong(why, null);
  }

  private JrtException wrong(String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new JrtException(
        ErrorKind.FAILED_PRECONDITION, "read image policy", file + " " + why, cause);
  }
}
