package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.content.Json;
import io.jrt.image.registry.Endpoint.Tls;
import io.jrt.image.registry.HttpTransport.Ask;
import io.jrt.image.registry.HttpTransport.Reply;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** Gets what a registry wants in {@code Authorization}, and keeps tokens until they expire. */
final class Authenticator {
  private static final int MAX_TOKEN_ANSWER = 1 << 20;
  private static final long MIN_SECONDS = 60;
  private static final int TURNS = 32;

  /** What a token is good for; the credential is part of it, so pulls do not share rights. */
  private record Key(String host, String repository, Credential credential) {}

  private record Token(String header, Instant until) {}

  private final HttpTransport transport;
  private final Clock clock;
  private final Map<Key, Token> tokens = new ConcurrentHashMap<>();

  /** Whose turn it is to ask for a token; several keys may share one. */
  private final List<ReentrantLock> turns =
      Stream.generate(ReentrantLock::new).limit(TURNS).toList();

  Authenticator(HttpTransport transport, Clock clock) {
    this.transport = transport;
    this.clock = clock;
  }

  /** What to send without having been asked: a kept token, or a token given by the caller. */
  Optional<String> known(Endpoint endpoint, String repository, Credential credential) {
    if (credential instanceof Credential.Bearer bearer) {
      return Optional.of("Bearer " + bearer.token());
    }
    Token token = tokens.get(new Key(endpoint.host(), repository, credential));
    return token != null && clock.instant().isBefore(token.until())
        ? Optional.of(token.header())
        : Optional.empty();
  }

  /**
   * Answers a 401. Of many requests whose token ended at once, one gets the next.
   *
   * @param sent the header that was refused; empty for none
   * @return the header to send, or empty when the registry wants what we do not have
   */
  Optional<String> answer(
      Endpoint endpoint,
      String repository,
      Credential credential,
      String sent,
      List<Challenge> challenges,
      Function<URI, Optional<Tls>> tlsOf)
      throws IOException {
    var key = new Key(endpoint.host(), repository, credential);
    ReentrantLock turn = turns.get(Math.floorMod(key.hashCode(), turns.size()));
    try {
      turn.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "get registry token", "the pull was stopped", e);
    }
    try {
      Optional<String> other =
          known(endpoint, repository, credential).filter(header -> !header.equals(sent));
      if (other.isPresent()) {
        return other;
      }
      tokens.remove(key);
      return anew(endpoint, repository, credential, challenges, tlsOf);
    } finally {
      turn.unlock();
    }
  }

  private Optional<String> anew(
      Endpoint endpoint,
      String repository,
      Credential credential,
      List<Challenge> challenges,
      Function<URI, Optional<Tls>> tlsOf)
      throws IOException {
    for (Challenge challenge : challenges) {
      if (challenge.scheme().equals("bearer") && !challenge.parameter("realm").isEmpty()) {
        Token token = token(endpoint, repository, credential, challenge, tlsOf);
        tokens.values().removeIf(kept -> kept.until().isBefore(clock.instant()));
        tokens.put(new Key(endpoint.host(), repository, credential), token);
        return Optional.of(token.header());
      }
    }
    for (Challenge challenge : challenges) {
      if (challenge.scheme().equals("basic") && credential instanceof Credential.Basic basic) {
        tokens.put(
            new Key(endpoint.host(), repository, credential),
            new Token(basic.header(), clock.instant().plusSeconds(3600)));
        return Optional.of(basic.header());
      }
    }
    return Optional.empty();
  }

  private Token token(
      Endpoint endpoint,
      String repository,
      Credential credential,
      Challenge challenge,
      Function<URI, Optional<Tls>> tlsOf)
      throws IOException {
    URI realm = realm(endpoint, challenge, credential);
    Tls tls =
        Endpoint.hostOf(realm).equals(endpoint.host())
            ? endpoint.tls()
            : tlsOf.apply(realm).orElseGet(endpoint.tls()::forOtherHost);
    String scope = challenge.parameter("scope");
    if (scope.isEmpty()) {
      scope = "repository:" + repository + ":pull";
    }
    String service = challenge.parameter("service");
    if (credential instanceof Credential.Identity identity) {
      String form =
          "grant_type=refresh_token&client_id=jrt&refresh_token="
              + encoded(identity.refreshToken())
              + "&service="
              + encoded(service)
              + "&scope="
              + encoded(scope);
      return read(realm, new Ask("POST", realm, Map.of(), form), tls, tlsOf);
    }
    var query = new StringBuilder("client_id=jrt");
    if (!service.isEmpty()) {
      query.append("&service=").append(encoded(service));
    }
    for (String one : scope.split(" ")) {
      query.append("&scope=").append(encoded(one));
    }
    Map<String, String> headers =
        credential instanceof Credential.Basic basic
            ? Map.of("Authorization", basic.header())
            : Map.of();
    String separator = realm.getRawQuery() == null ? "?" : "&";
    URI ask = URI.create(realm + separator + query);
    return read(realm, Ask.get(ask, headers), tls, tlsOf);
  }

  private static URI realm(Endpoint endpoint, Challenge challenge, Credential credential) {
    URI realm;
    try {
      realm = URI.create(challenge.parameter("realm"));
    } catch (IllegalArgumentException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE,
          "get registry token",
          endpoint.host() + " names a token server that is no address",
          e);
    }
    HttpTransport.requireReachable(endpoint.api(), realm);
    boolean secret = !(credential instanceof Credential.Anonymous);
    boolean clear = realm.getScheme().equals("http");
    if (secret
        && clear
        && !Endpoint.hostOf(realm).equals(endpoint.host())
        && !HttpTransport.isLoopback(realm.getHost())) {
      throw new JrtException(
          ErrorKind.DENIED,
          "get registry token",
          endpoint.host() + " wants its credentials sent in clear to " + realm.getHost());
    }
    return realm;
  }

  private Token read(URI realm, Ask ask, Tls tls, Function<URI, Optional<Tls>> tlsOf)
      throws IOException {
    try (Reply reply = transport.send(ask, tls, tlsOf)) {
      byte[] body = reply.body().readNBytes(MAX_TOKEN_ANSWER);
      if (reply.status() != 200) {
        ErrorKind kind =
            switch (reply.status()) {
              case 400, 401, 403 -> ErrorKind.UNAUTHENTICATED;
              case 429 -> ErrorKind.EXHAUSTED;
              default -> ErrorKind.UNAVAILABLE;
            };
        throw new JrtException(
            kind,
            "get registry token",
            "the token server "
                + HttpTransport.shown(realm)
                + " answers "
                + reply.status()
                + (kind == ErrorKind.UNAUTHENTICATED ? ": the credentials are refused" : ""));
      }
      JsonNode answer = Json.object("the answer of the token server", body);
      String what = "the answer of the token server";
      String token = Json.text(what, answer, "token");
      if (token.isEmpty()) {
        token = Json.text(what, answer, "access_token");
      }
      if (token.isEmpty()) {
        throw new JrtException(
            ErrorKind.UNAUTHENTICATED,
            "get registry token",
            "the token server " + HttpTransport.shown(realm) + " gives no token");
      }
      long seconds =
          answer.path("expires_in").isIntegralNumber()
              ? Math.max(MIN_SECONDS, answer.path("expires_in").longValue())
              : MIN_SECONDS;
      // By our clock from now on: the server's may be wrong. A margin for the way.
      Instant until = clock.instant().plusSeconds(Math.min(seconds, 86_400) - 10);
      return new Token("Bearer " + token, until);
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
