package io.jrt.image;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The full name of an image, as docker's reference grammar spells it out: {@code busybox} becomes
 * {@code docker.io/library/busybox:latest}.
 *
 * @param registry host, with port when one was given; {@code docker.io} for Docker Hub
 * @param repository path in the registry
 * @param tag {@code latest} when neither tag nor digest was given; empty when only a digest was
 * @param digest decides when it is there; the tag is then for display
 */
public record Reference(String registry, String repository, String tag, Optional<Digest> digest) {

  /** Docker Hub's name in references. */
  public static final String DOCKER_HUB = "docker.io";

  private static final int MAX_NAME = 255;
  private static final Pattern REPOSITORY =
      Pattern.compile(
          "[a-z0-9]++((\\.|_|__|-++)[a-z0-9]++)*+(/[a-z0-9]++((\\.|_|__|-++)[a-z0-9]++)*+)*+");
  private static final Pattern HOST =
      Pattern.compile(
          "([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
              + "|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");

  /**
   * Reads a name as people write it.
   *
   * @throws JrtException INVALID
   */
  public static Reference parse(String text) {
    if (text.isEmpty() || text.length() > 1024) {
      throw invalid(text, "it is empty or longer than 1024 characters");
    }
    String rest = text;
    Optional<Digest> digest = Optional.empty();
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = Optional.of(Digest.parse(rest.substring(at + 1)));
      rest = rest.substring(0, at);
    }
    String tag = "";
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      if (!TAG.matcher(tag).matches()) {
        throw invalid(text, "'" + tag + "' is no tag");
      }
      rest = rest.substring(0, colon);
    }
    String registry = DOCKER_HUB;
    int slash = rest.indexOf('/');
    if (slash > 0 && isHost(rest.substring(0, slash))) {
      registry = rest.substring(0, slash);
      rest = rest.substring(slash + 1);
      if (!HOST.matcher(registry).matches()) {
        throw invalid(text, "'" + registry + "' is no host");
      }
    }
    if (registry.equals("index.docker.io") || registry.equals("registry-1.docker.io")) {
      registry = DOCKER_HUB;
    }
    if (registry.equals(DOCKER_HUB) && rest.indexOf('/') < 0) {
      rest = "library/" + rest;
    }
    if (!REPOSITORY.matcher(rest).matches()) {
      throw invalid(
          text,
          rest.chars().anyMatch(Character::isUpperCase)
              ? "a repository is written in lower case"
              : "'" + rest + "' is no repository");
    }
    if (registry.length() + 1 + rest.length() > MAX_NAME) {
      throw invalid(text, "its name is longer than " + MAX_NAME + " characters");
    }
    if (tag.isEmpty() && digest.isEmpty()) {
      tag = "latest";
    }
    return new Reference(registry, rest, tag, digest);
  }

  /** Registry and repository, without tag and digest. */
  public String name() {
    return registry + "/" + repository;
  }

  /** {@code name:tag}, if there is a tag. */
  public Optional<String> tagged() {
    return tag.isEmpty() ? Optional.empty() : Optional.of(name() + ":" + tag);
  }

  /** The name with a digest. */
  public String withDigest(Digest resolved) {
    return name() + "@" + resolved;
  }

  /** What a registry is asked for: the digest if there is one, else the tag. */
  public String asked() {
    return digest.map(Digest::toString).orElse(tag);
  }

  @Override
  public String toString() {
    return name() + (tag.isEmpty() ? "" : ":" + tag) + digest.map(value -> "@" + value).orElse("");
  }

  private static boolean isHost(String first) {
    return first.indexOf('.') >= 0
        || first.indexOf(':') >= 0
        || first.equals("localhost")
        || first.chars().anyMatch(c -> c >= 'A' && c <= 'Z');
  }

  private static JrtException invalid(String text, String why) {
    String shown = (text.length() > 300 ? text.substring(0, 300) + "…" : text);
    return new JrtException(
        ErrorKind.INVALID,
        "parse image name",
        ("image name '" + shown + "' is invalid: " + why).replaceAll("\\p{Cntrl}", "?"));
  }
}
