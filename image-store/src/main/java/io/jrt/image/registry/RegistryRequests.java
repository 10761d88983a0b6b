package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Reference;
import io.jrt.image.RegistryAuth;
import io.jrt.image.registry.HttpTransport.Ask;
import io.jrt.image.registry.HttpTransport.Reply;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Single requests to registries, with authentication, and again where that may help. */
final class RegistryRequests {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryRequests.class);
  private static final int ATTEMPTS = 4;
  private static final Duration MAX_RETRY_AFTER = Duration.ofSeconds(60);

  private final RegistryHosts hosts;
  private final HttpTransport transport;
  private final Authenticator authenticator;

  RegistryRequests(RegistryHosts hosts, HttpTransport transport) {
    this.hosts = hosts;
    this.transport = transport;
    this.authenticator = new Authenticator(transport, Clock.systemUTC());
  }

  /** One request with authentication and retries; answers 2xx or throws. */
  Reply ask(
      Endpoint endpoint,
      Reference reference,
      RegistryAuth auth,
      String method,
      String path,
      Map<String, String> headers)
      throws IOException {
    String repository = endpoint.repository(reference.repository());
    Credential credential = hosts.credential(endpoint, reference.registry(), auth);
    URI uri = endpoint.uri(reference.repository(), path, reference.registry());
    boolean challenged = false;
    IOException broken = null;
    for (int attempt = 1; ; attempt++) {
      var all = new HashMap<String, String>();
      endpoint.headers().forEach((name, values) -> all.put(name, String.join(", ", values)));
      all.putAll(headers);
      String sent = authenticator.known(endpoint, repository, credential).orElse("");
      if (!sent.isEmpty()) {
        all.put("Authorization", sent);
      }
      Reply reply;
      try {
        reply = transport.send(new Ask(method, uri, all, ""), endpoint.tls(), hosts::tlsOf);
      } catch (IOException e) {
        if (attempt >= ATTEMPTS || !RegistryErrors.mayHeal(e)) {
          throw e;
        }
        broken = e;
        pause(backOff(attempt));
        continue;
      }
      int status = reply.status();
      if (status / 100 == 2) {
        return reply;
      }
      if (status == 401 && !challenged) {
        reply.close();
        challenged = true;
        List<Challenge> challenges = Challenge.parse(HttpTransport.all(reply, "www-authenticate"));
        if (authenticator
            .answer(endpoint, repository, credential, sent, challenges, hosts::tlsOf)
            .isPresent()) {
          attempt--;
          continue;
        }
        throw RegistryErrors.refused(
            endpoint, reference.toString(), method, status, "", credential);
      }
      boolean again = status == 429 || status == 408 || status == 425 || status >= 500;
      if (again && attempt < ATTEMPTS) {
        Duration wait = retryAfter(reply).orElse(backOff(attempt));
        reply.close();
        LOG.info("{} answers {}, asked again in {} ms", endpoint.host(), status, wait.toMillis());
        pause(wait);
        continue;
      }
      String told = RegistryErrors.told(reply);
      reply.close();
      JrtException failure =
          RegistryErrors.refused(endpoint, reference.toString(), method, status, told, credential);
      if (broken != null) {
        failure.addSuppressed(broken);
      }
      throw failure;
    }
  }

  private static Optional<Duration> retryAfter(Reply reply) {
    return reply
        .header("retry-after")
        .map(RegistryRequests::seconds)
        .filter(wait -> !wait.isNegative())
        .map(wait -> wait.compareTo(MAX_RETRY_AFTER) > 0 ? MAX_RETRY_AFTER : wait);
  }

  private static @Nullable Duration seconds(String value) {
    try {
      return value.chars().allMatch(Character::isDigit) && value.length() < 9
          ? Duration.ofSeconds(Long.parseLong(value))
          : Duration.between(
              Instant.now(),
              ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
    } catch (DateTimeParseException | NumberFormatException e) {
      LOG.debug("a Retry-After header cannot be read", e);
      return null;
    }
  }

  static Duration backOff(int attempt) {
    long base = Math.min(8000, 200L << Math.min(attempt, 6));
    return Duration.ofMillis(base / 2 + ThreadLocalRandom.current().nextLong(base / 2));
  }

  static void pause(Duration wait) {
    try {
      Thread.sleep(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "ask registry", "the pull was stopped", e);
    }
  }
}
