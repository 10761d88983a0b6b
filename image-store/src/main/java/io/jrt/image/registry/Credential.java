package io.jrt.image.registry;

import io.jrt.image.RegistryAuth;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;

/** A secret for one registry. No variant shows it in {@code toString}. */
sealed interface Credential {

  /** Nothing is known. */
  record Anonymous() implements Credential {}

  /** User and password, also a robot account's. */
  record Basic(String user, String password) implements Credential {
    String header() {
      byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
      return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    @Override
    public String toString() {
      return "basic credentials";
    }
  }

  /** A refresh token with which registry tokens are got. */
  record Identity(String refreshToken) implements Credential {
    @Override
    public String toString() {
      return "identity token";
    }
  }

  /** A token that is sent to the registry as it is. */
  record Bearer(String token) implements Credential {
    @Override
    public String toString() {
      return "registry token";
    }
  }

  Credential NONE = new Anonymous();

  /** What CRI's AuthConfig says; empty when it says nothing. */
  static Optional<Credential> of(RegistryAuth auth) {
    if (!auth.registryToken().isEmpty()) {
      return Optional.of(new Bearer(auth.registryToken()));
    }
    if (!auth.identityToken().isEmpty()) {
      return Optional.of(new Identity(auth.identityToken()));
    }
    if (!auth.username().isEmpty()) {
      return Optional.of(new Basic(auth.username(), auth.password()));
    }
    if (!auth.auth().isEmpty()) {
      return ofBase64(auth.auth());
    }
    // A secret without a user is how docker's credential stores hand out refresh tokens.
    return auth.password().isEmpty()
        ? Optional.empty()
        : Optional.of(new Identity(auth.password()));
  }

  /** {@code base64(user:password)}; some writers leave NULs or line ends at its end. */
  static Optional<Credential> ofBase64(String encoded) {
    try {
      byte[] raw = Base64.getMimeDecoder().decode(encoded.strip());
      String pair = new String(raw, StandardCharsets.UTF_8).replaceAll("[\\x00\\r\\n]+$", "");
      int colon = pair.indexOf(':');
      return colon <= 0
          ? Optional.empty()
          : Optional.of(new Basic(pair.substring(0, colon), pair.substring(colon + 1)));
    } catch (IllegalArgumentException e) {
      throw new io.jrt.errors.JrtException(
          io.jrt.errors.ErrorKind.INVALID,
          "read credentials",
          "the 'auth' of a registry's credentials is no base64");
    }
  }
}
