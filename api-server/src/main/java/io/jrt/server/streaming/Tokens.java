package io.jrt.server.streaming;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/** The requests that wait for their clients, each behind a random token that works once. */
final class Tokens {
  /** More than this wait for nobody good. */
  static final int LIMIT = 1000;

  private static final int RANDOM_BYTES = 12;

  private final SecureRandom random = new SecureRandom();
  private final long lifetimeNanos;
  private final LongSupplier nanoTime;

  /** In the order of their making, hence of their end. */
  private final Map<String, Waiting> waiting = new LinkedHashMap<>();

  Tokens(Duration lifetime, LongSupplier nanoTime) {
    this.lifetimeNanos = lifetime.toNanos();
    this.nanoTime = nanoTime;
  }

  private record Waiting(StreamRequest request, long until) {}

  synchronized String issue(StreamRequest request) {
    long now = nanoTime.getAsLong();
    dropExpired(now);
    if (waiting.size() >= LIMIT) {
      throw new JrtException(
          ErrorKind.EXHAUSTED,
          request.verb(),
          LIMIT + " streaming requests wait for their clients",
          "connect to the URLs that were handed out, or wait a minute",
          null);
    }
    byte[] bytes = new byte[RANDOM_BYTES];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    waiting.put(token, new Waiting(request, now + lifetimeNanos));
    return token;
  }

  /** Takes what the token stands for, if it is of that verb; the token is of no use any more. */
  synchronized Optional<StreamRequest> redeem(String verb, String token) {
    dropExpired(nanoTime.getAsLong());
    Waiting found = waiting.get(token);
    if (found == null || !found.request().verb().equals(verb)) {
      return Optional.empty();
    }
    waiting.remove(token);
    return Optional.of(found.request());
  }

  private void dropExpired(long now) {
    Iterator<Waiting> all = waiting.values().iterator();
    while (all.hasNext() && all.next().until() - now <= 0) {
      all.remove();
    }
  }
}
