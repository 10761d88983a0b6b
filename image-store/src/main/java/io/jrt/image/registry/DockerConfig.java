package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Reference;
import io.jrt.image.content.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** docker's config.json: {@code auths}, {@code credHelpers}, {@code credsStore}. */
final class DockerConfig {
  private static final Pattern HELPER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
  private static final int HELPER_SECONDS = 20;
  private static final String DOCKER_HUB_KEY = "https://index.docker.io/v1/";

  private DockerConfig() {}

  /**
   * The secret for a host.
   *
   * @param mirror whether the host is not the registry itself: then only its own name counts
   */
  static Optional<Credential> credential(
      Optional<Path> file, String host, String registry, boolean mirror) {
    if (file.isEmpty()) {
      return Optional.empty();
    }
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file.get());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INVALID, "read credentials", file.get() + " cannot be read", e);
    }
    String what = file.get().toString();
    JsonNode root = secret(what, bytes);
    List<String> names =
        mirror ? List.of(canonical(host)) : List.of(canonical(host), canonical(registry));
    for (Map.Entry<String, String> helper : Json.textMap(what, root, "credHelpers").entrySet()) {
      if (names.contains(canonical(helper.getKey()))) {
        Optional<Credential> found = ask(helper.getValue(), helper.getKey());
        if (found.isPresent()) {
          return found;
        }
      }
    }
    String store = Json.text(what, root, "credsStore");
    for (Map.Entry<String, JsonNode> auth :
        Json.objectOrMissing(what, root, "auths").properties()) {
      if (names.contains(canonical(auth.getKey()))) {
        Optional<Credential> found = stored(what, auth.getValue());
        if (found.isPresent()) {
          return found;
        }
        if (!store.isEmpty()) {
          return ask(store, auth.getKey());
        }
      }
    }
    // docker asks its store for every registry, under its old name for Docker Hub.
    String server = mirror ? canonical(host) : canonical(registry);
    return store.isEmpty()
        ? Optional.empty()
        : ask(store, server.equals(Reference.DOCKER_HUB) ? DOCKER_HUB_KEY : server);
  }

  /** The parser's own message might quote a secret. */
  private static JsonNode secret(String what, byte[] bytes) {
    try {
      return Json.object(what, bytes);
    } catch (JrtException e) {
      throw new JrtException(ErrorKind.INVALID, "read credentials", what + " is no JSON object");
    }
  }

  private static String canonical(String address) {
    return RegistryHosts.canonical(address);
  }

  private static Optional<Credential> stored(String what, JsonNode auth) {
    String identity = Json.text(what, auth, "identitytoken");
    if (!identity.isEmpty()) {
      return Optional.of(new Credential.Identity(identity));
    }
    String bearer = Json.text(what, auth, "registrytoken");
    if (!bearer.isEmpty()) {
      return Optional.of(new Credential.Bearer(bearer));
    }
    String user = Json.text(what, auth, "username");
    if (!user.isEmpty()) {
      return Optional.of(new Credential.Basic(user, Json.text(what, auth, "password")));
    }
    String encoded = Json.text(what, auth, "auth");
    return encoded.isEmpty() ? Optional.empty() : Credential.ofBase64(encoded);
  }

  /** Runs {@code docker-credential-<name> get}: server on stdin, JSON on stdout. */
  private static Optional<Credential> ask(String helper, String server) {
    if (!HELPER.matcher(helper).matches()) {
      throw new JrtException(
          ErrorKind.INVALID, "read credentials", "a credential helper has an impossible name");
    }
    String program = "docker-credential-" + helper;
    try {
      Process process =
          new ProcessBuilder(program, "get").redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try {
        try (OutputStream in = process.getOutputStream()) {
          in.write(server.getBytes(StandardCharsets.UTF_8));
        }
        Thread watchdog =
            Thread.startVirtualThread(
                () -> {
                  try {
                    if (!process.waitFor(HELPER_SECONDS, TimeUnit.SECONDS)) {
                      process.destroyForcibly();
                    }
                  } catch (InterruptedException e) {
                    process.destroyForcibly();
                    Thread.currentThread().interrupt();
                  }
                });
        byte[] answer = process.getInputStream().readNBytes(Json.MAX_DOCUMENT);
        watchdog.join();
        if (process.exitValue() != 0) {
          return Optional.empty();
        }
        String what = "the answer of " + program;
        JsonNode node = secret(what, answer);
        String user = Json.text(what, node, "Username");
        String secret = Json.text(what, node, "Secret");
        return Optional.of(
            user.equals("<token>")
                ? new Credential.Identity(secret)
                : new Credential.Basic(user, secret));
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "read credentials", program + " cannot be run", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "read credentials", "the pull was stopped", e);
    }
  }
}
