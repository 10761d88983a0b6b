package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Reference;
import io.jrt.image.RegistryAuth;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.Document;
import io.jrt.image.content.Json;
import io.jrt.image.content.MediaTypes;
import io.jrt.image.registry.HttpTransport.Ask;
import io.jrt.image.registry.HttpTransport.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks registries for manifests and blobs (OCI distribution-spec, pull side): the mirrors of a name
 * in their order, each with retries, and all attempts in the error when none serves it.
 */
public final class RegistryClient implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryClient.class);
  private static final int ATTEMPTS = 4;
  private static final int MAX_ERROR_BODY = 4096;
  private static final Duration MAX_RETRY_AFTER = Duration.ofSeconds(60);

  private final RegistryHosts hosts;
  private final ExecutorService executor;
  private final HttpTransport transport;
  private final Authenticator authenticator;

  /**
   * @param proxies of the node
   * @param patience how long a registry may say nothing
   */
  public RegistryClient(RegistryHosts hosts, Proxies proxies, Duration patience) {
    this.hosts = hosts;
    this.executor =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("jrt-http-", 0).factory());
    this.transport = new HttpTransport(proxies, patience, executor);
    this.authenticator = new Authenticator(transport, Clock.systemUTC());
  }

  /** A document as it was served; the bytes are those of the digest. */
  public static final class Served {
    private final Digest digest;
    private final byte[] bytes;
    private final Document document;

    private Served(Digest digest, byte[] bytes, Document document) {
      this.digest = digest;
      this.bytes = bytes;
      this.document = document;
    }

    public Digest digest() {
      return digest;
    }

    public byte[] bytes() {
      return bytes.clone();
    }

    public Document document() {
      return document;
    }

    public Descriptor descriptor() {
      return Descriptor.of(document.mediaType(), digest, bytes.length);
    }
  }

  /** All that one pull asks of the places that serve one name. */
  public final class Session {
    private final Reference reference;
    private final RegistryAuth auth;
    private final List<Endpoint> endpoints;

    private Session(Reference reference, RegistryAuth auth) {
      this.reference = reference;
      this.auth = auth;
      this.endpoints = hosts.endpoints(reference.registry());
    }

    /**
     * What the name means now: asks for the digest only, without fetching the document, where the
     * registry tells it.
     *
     * @return empty when a registry does not tell the digest without the document
     */
    public Optional<Digest> resolve() {
      if (reference.digest().isPresent()) {
        return reference.digest();
      }
      String path = "manifests/" + reference.tag();
      return first(
          true,
          endpoint -> {
            try (Reply reply = ask(endpoint, "HEAD", path, manifestHeaders())) {
              return reply
                  .header("docker-content-digest")
                  .filter(text -> text.startsWith("sha256:"))
                  .map(Digest::parse);
            } catch (JrtException e) {
              // Some places refuse HEAD; the document itself tells.
              if (e.kind() == ErrorKind.UNIMPLEMENTED) {
                return Optional.empty();
              }
              throw e;
            }
          });
    }

    /** The document that the name means, by tag or digest. */
    public Served document() {
      return document(reference.asked(), reference.digest(), "");
    }

    /** The document of a digest. */
    public Served document(Digest digest) {
      return document(digest.toString(), Optional.of(digest), "");
    }

    /** The document that an index lists. */
    public Served document(Descriptor descriptor) {
      Served served =
          document(
              descriptor.digest().toString(),
              Optional.of(descriptor.digest()),
              descriptor.mediaType());
      if (served.bytes.length != descriptor.size()) {
        throw new JrtException(
            ErrorKind.DATA_LOSS,
            "fetch manifest",
            descriptor.digest()
                + " has "
                + served.bytes.length
                + " bytes, not the "
                + descriptor.size()
                + " that its index announces");
      }
      return served;
    }

    /** The document of a tag beside the name, such as a signature's; empty when there is none. */
    public Optional<Served> documentOfTag(String tag) {
      try {
        return Optional.of(document(tag, Optional.empty(), ""));
      } catch (JrtException e) {
        if (e.kind() == ErrorKind.NOT_FOUND) {
          return Optional.empty();
        }
        throw e;
      }
    }

    private Served document(String asked, Optional<Digest> expected, String announced) {
      return first(
          expected.isEmpty(),
          endpoint -> {
            try (Reply reply = ask(endpoint, "GET", "manifests/" + asked, manifestHeaders())) {
              byte[] bytes = reply.body().readNBytes(Json.MAX_DOCUMENT + 1);
              String what = "the manifest of " + reference.name() + " at " + endpoint.host();
              Optional<Digest> told = reply.header("docker-content-digest").map(Digest::parse);
              Digest digest =
                  expected.or(() -> told).map(d -> d.of(bytes)).orElse(Digest.sha256(bytes));
              if (expected.isPresent() && !expected.get().equals(digest)) {
                throw new JrtException(
                    ErrorKind.DATA_LOSS,
                    "fetch manifest",
                    what + " has the digest " + digest + ", not " + expected.get());
              }
              if (expected.isEmpty() && told.isPresent() && !told.get().equals(digest)) {
                throw new JrtException(
                    ErrorKind.DATA_LOSS,
                    "fetch manifest",
                    what + " has the digest " + digest + ", but is served as " + told.get());
              }
              String type = reply.header("content-type").orElse("");
              Document document = Document.parse(what, type, bytes);
              if (!announced.isEmpty() && !announced.equals(document.mediaType())) {
                throw new JrtException(
                    ErrorKind.INVALID,
                    "fetch manifest",
                    what
                        + " is of type "
                        + document.mediaType()
                        + ", but its index says "
                        + announced);
              }
              return new Served(digest, bytes, document);
            }
          });
    }

    /** A small blob, such as a configuration, whole and verified. */
    public byte[] blob(Descriptor descriptor) {
      if (descriptor.size() > Json.MAX_DOCUMENT) {
        throw new JrtException(
            ErrorKind.INVALID,
            "fetch content",
            descriptor.digest() + " is larger than " + Json.MAX_DOCUMENT + " bytes");
      }
      return first(
          false,
          endpoint -> {
            try (Reply reply =
                ask(endpoint, "GET", "blobs/" + descriptor.digest(), blobHeaders(0, -1))) {
              byte[] bytes = reply.body().readNBytes(Json.MAX_DOCUMENT + 1);
              if (bytes.length != descriptor.size()
                  || !descriptor.digest().equals(descriptor.digest().of(bytes))) {
                throw new JrtException(
                    ErrorKind.DATA_LOSS,
                    "fetch content",
                    endpoint.host() + " serves other bytes as " + descriptor.digest());
              }
              return bytes;
            }
          });
    }

    /**
     * A blob as a stream that goes on where it broke, at another mirror if need be. The bytes are
     * not verified.
     *
     * @param from first byte
     * @param to byte after the last
     */
    public InputStream open(Descriptor descriptor, long from, long to) {
      return new ResumingStream(
          from,
          to,
          descriptor.size(),
          (position, attempt) -> part(descriptor, position, to, attempt));
    }

    /** How many places serve it: so many attempts are made before one is asked again. */
    private Opened part(Descriptor descriptor, long from, long to, int attempt) {
      List<Endpoint> able = endpoints.stream().filter(Endpoint::pulls).toList();
      // The order of preference, turned by the number of failures without progress.
      var failures = new ArrayList<JrtException>();
      for (int i = 0; i < able.size(); i++) {
        Endpoint endpoint = able.get((i + attempt) % able.size());
        try {
          Reply reply = ask(endpoint, "GET", "blobs/" + descriptor.digest(), blobHeaders(from, to));
          return new Opened(reply.body(), start(reply, descriptor, from));
        } catch (IOException e) {
          failures.add(unavailable(endpoint, e));
        } catch (JrtException e) {
          if (isFinal(e)) {
            throw e;
          }
          failures.add(e);
        }
      }
      throw combined("fetch content", failures);
    }

    private static long start(Reply reply, Descriptor descriptor, long from) {
      if (reply.status() != 206) {
        return 0;
      }
      String range = reply.header("content-range").orElse("");
      boolean right = range.startsWith("bytes " + from + "-");
      int slash = range.lastIndexOf('/');
      String total = slash < 0 ? "*" : range.substring(slash + 1);
      if (!right || !(total.equals("*") || total.equals(Long.toString(descriptor.size())))) {
        reply.close();
        throw new JrtException(
            ErrorKind.DATA_LOSS,
            "fetch content",
            "asked for "
                + descriptor.digest()
                + " from byte "
                + from
                + " of "
                + descriptor.size()
                + ", got the range '"
                + cleaned(range)
                + "'");
      }
      return from;
    }

    /**
     * The documents that refer to a digest: by the referrers API, else by the tag that stands for
     * it.
     */
    public List<Descriptor> referrers(Digest digest) {
      Endpoint endpoint = endpoints.getLast();
      try (Reply reply =
          ask(endpoint, "GET", "referrers/" + digest, Map.of("Accept", MediaTypes.OCI_INDEX))) {
        byte[] bytes = reply.body().readNBytes(Json.MAX_DOCUMENT + 1);
        Document document = Document.parse("the referrers of " + digest, "", bytes);
        return document instanceof Document.Index index ? index.manifests() : List.of();
      } catch (IOException e) {
        throw unavailable(endpoint, e);
      } catch (JrtException e) {
        if (e.kind() != ErrorKind.NOT_FOUND) {
          throw e;
        }
      }
      return documentOfTag(digest.algorithm() + "-" + digest.hex())
          .map(Served::document)
          .filter(Document.Index.class::isInstance)
          .map(document -> ((Document.Index) document).manifests())
          .orElse(List.of());
    }

    /** Where the name is asked for, in order, for messages. */
    public String places() {
      return String.join(", ", endpoints.stream().map(Endpoint::host).toList());
    }

    private <T> T first(boolean resolving, Attempt<T> attempt) {
      var failures = new ArrayList<JrtException>();
      for (Endpoint endpoint : endpoints) {
        if (resolving ? !endpoint.resolves() : !endpoint.pulls()) {
          continue;
        }
        try {
          return attempt.at(endpoint);
        } catch (IOException e) {
          failures.add(unavailable(endpoint, e));
        } catch (JrtException e) {
          if (isFinal(e)) {
            throw e;
          }
          failures.add(e);
        }
      }
      throw combined("ask registry", failures);
    }

    /** One request with authentication and retries; answers 2xx or throws. */
    private Reply ask(Endpoint endpoint, String method, String path, Map<String, String> headers)
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
        authenticator
            .known(endpoint, repository, credential)
            .ifPresent(value -> all.put("Authorization", value));
        Reply reply;
        try {
          reply = transport.send(new Ask(method, uri, all, ""), endpoint.tls(), hosts::tlsOf);
        } catch (IOException e) {
          if (attempt >= ATTEMPTS || !mayHeal(e)) {
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
          authenticator.forget(endpoint, repository, credential);
          List<Challenge> challenges =
              Challenge.parse(HttpTransport.all(reply, "www-authenticate"));
          if (authenticator
              .answer(endpoint, repository, credential, challenges, hosts::tlsOf)
              .isPresent()) {
            attempt--;
            continue;
          }
          throw refused(endpoint, method, status, "", credential);
        }
        boolean again = status == 429 || status == 408 || status == 425 || status >= 500;
        if (again && attempt < ATTEMPTS) {
          Duration wait = retryAfter(reply).orElse(backOff(attempt));
          reply.close();
          LOG.info("{} answers {}, asked again in {} ms", endpoint.host(), status, wait.toMillis());
          pause(wait);
          continue;
        }
        String told = told(reply);
        reply.close();
        JrtException failure = refused(endpoint, method, status, told, credential);
        if (broken != null) {
          failure.addSuppressed(broken);
        }
        throw failure;
      }
    }

    private JrtException refused(
        Endpoint endpoint, String method, int status, String told, Credential credential) {
      String who = endpoint.host() + " answers " + status;
      String why = told.isEmpty() ? "" : ": " + told;
      String name = reference.toString();
      return switch (status) {
        case 401 ->
            new JrtException(
                ErrorKind.UNAUTHENTICATED,
                "ask registry",
                who
                    + " for "
                    + name
                    + (credential instanceof Credential.Anonymous
                        ? ": it wants credentials and none are known"
                        : ": it refuses the credentials")
                    + why,
                "check imagePullSecrets, or the credentials configured for " + endpoint.host(),
                null);
        case 403 -> new JrtException(ErrorKind.DENIED, "ask registry", who + " for " + name + why);
        case 404 ->
            new JrtException(
                ErrorKind.NOT_FOUND, "ask registry", name + " is not at " + endpoint.host() + why);
        case 405, 501 ->
            new JrtException(
                method.equals("HEAD") ? ErrorKind.UNIMPLEMENTED : ErrorKind.UNAVAILABLE,
                "ask registry",
                who + why);
        // Harbor's policies; another mirror must not serve what a policy forbids.
        case 412 ->
            new JrtException(
                ErrorKind.FAILED_PRECONDITION, "ask registry", who + " for " + name + why);
        case 429 -> new JrtException(ErrorKind.EXHAUSTED, "ask registry", who + why);
        case 416 -> new JrtException(ErrorKind.DATA_LOSS, "ask registry", who + why);
        default -> new JrtException(ErrorKind.UNAVAILABLE, "ask registry", who + why);
      };
    }
  }

  /** A stream and the position of its first byte. */
  record Opened(InputStream stream, long start) {}

  private interface Attempt<T> {
    T at(Endpoint endpoint) throws IOException;
  }

  /** Begins a pull: reads the configuration of the registries anew. */
  public Session session(Reference reference, RegistryAuth auth) {
    transport.forgetCustomTls();
    return new Session(reference, auth);
  }

  private static Map<String, String> manifestHeaders() {
    return Map.of("Accept", MediaTypes.ACCEPT_MANIFESTS);
  }

  private static Map<String, String> blobHeaders(long from, long to) {
    var headers = new HashMap<String, String>();
    headers.put("Accept", "*/*");
    headers.put("Accept-Encoding", "identity");
    if (from > 0 || to >= 0) {
      headers.put("Range", "bytes=" + from + "-" + (to < 0 ? "" : to - 1));
    }
    return headers;
  }

  /** Errors that no other mirror can mend, or must not. */
  private static boolean isFinal(JrtException e) {
    return switch (e.kind()) {
      case CANCELLED, FAILED_PRECONDITION, NO_SPACE, INVALID, INTERNAL -> true;
      default -> false;
    };
  }

  private static boolean mayHeal(IOException e) {
    return !(e instanceof javax.net.ssl.SSLHandshakeException)
        && !(e instanceof java.net.UnknownHostException)
        && !(e.getCause() instanceof java.nio.channels.UnresolvedAddressException);
  }

  private static JrtException unavailable(Endpoint endpoint, IOException e) {
    String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    if (e instanceof java.net.ConnectException) {
      why = "nobody answers there";
    }
    return new JrtException(
        ErrorKind.UNAVAILABLE, "ask registry", endpoint.host() + ": " + cleaned(why), e);
  }

  private static JrtException combined(String step, List<JrtException> failures) {
    if (failures.isEmpty()) {
      return new JrtException(
          ErrorKind.FAILED_PRECONDITION, step, "no configured host may be asked for this");
    }
    if (failures.size() == 1) {
      return failures.getFirst();
    }
    JrtException last = failures.getLast();
    var all = new StringBuilder();
    for (JrtException failure : failures) {
      all.append(all.isEmpty() ? "" : "; ").append(failure.getMessage());
    }
    var combined =
        new JrtException(last.kind(), step, all.toString(), last.hint().orElse(null), last);
    failures.subList(0, failures.size() - 1).forEach(combined::addSuppressed);
    return combined;
  }

  /** What the registry says in its error, made safe to print. */
  private static String told(Reply reply) {
    try {
      String text =
          new String(reply.body().readNBytes(MAX_ERROR_BODY), StandardCharsets.UTF_8).strip();
      if (text.startsWith("{")) {
        var errors = Json.object("the error", text.getBytes(StandardCharsets.UTF_8)).path("errors");
        var messages = new ArrayList<String>();
        for (var error : errors) {
          String code = Json.text("the error", error, "code");
          String message = Json.text("the error", error, "message");
          messages.add((code + " " + message).strip());
        }
        return cleaned(String.join(", ", messages));
      }
      return text.startsWith("<") ? "" : cleaned(text);
    } catch (IOException | JrtException e) {
      LOG.debug("the body of an error answer cannot be read", e);
      return "";
    }
  }

  private static String cleaned(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").replaceAll("\\?[^\\s\"']*", "?…");
    return line.length() > 400 ? line.substring(0, 400) + "…" : line;
  }

  private static Optional<Duration> retryAfter(Reply reply) {
    return reply
        .header("retry-after")
        .map(RegistryClient::seconds)
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

  @Override
  public void close() {
    transport.close();
    executor.shutdownNow();
  }
}
