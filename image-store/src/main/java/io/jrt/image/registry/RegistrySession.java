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
import io.jrt.image.registry.HttpTransport.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * All that one pull asks of the places that serve one name: the mirrors in their order, and all
 * attempts in the error when none serves it.
 */
public final class RegistrySession {
  /** A number of more digits is none that a blob has. */
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\*|\\d{1,18})");

  private final RegistryRequests requests;
  private final Reference reference;
  private final RegistryAuth auth;
  private final List<Endpoint> endpoints;

  RegistrySession(
      RegistryHosts hosts, RegistryRequests requests, Reference reference, RegistryAuth auth) {
    this.requests = requests;
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
          try (Reply reply =
              requests.ask(endpoint, reference, auth, "HEAD", path, manifestHeaders())) {
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
    if (served.bytes().length != descriptor.size()) {
      throw new JrtException(
          ErrorKind.DATA_LOSS,
          "fetch manifest",
          descriptor.digest()
              + " has "
              + served.bytes().length
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
          try (Reply reply =
              requests.ask(
                  endpoint, reference, auth, "GET", "manifests/" + asked, manifestHeaders())) {
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
              requests.ask(
                  endpoint,
                  reference,
                  auth,
                  "GET",
                  "blobs/" + descriptor.digest(),
                  blobHeaders(0, -1))) {
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
   * A blob, from a byte on, as a stream that goes on where it broke, at another mirror if need be.
   * The bytes are not verified.
   *
   * @param from first byte
   */
  public ResumingStream open(Descriptor descriptor, long from) {
    return new ResumingStream(
        from,
        -1,
        descriptor.size(),
        (position, attempt) -> part(descriptor, position, -1, attempt, new AtomicInteger()));
  }

  /** A blob in pieces, which may be fetched side by side. */
  public BlobRanges ranges(Descriptor descriptor) {
    return new BlobRanges(descriptor);
  }

  /** The ranges of one blob: each begins at the place that served the one before. */
  public final class BlobRanges {
    private final Descriptor descriptor;
    private final AtomicInteger serving = new AtomicInteger();

    private BlobRanges(Descriptor descriptor) {
      this.descriptor = descriptor;
    }

    /**
     * A range, which goes on where it broke. The bytes are not verified.
     *
     * @param from first byte
     * @param to byte after the last
     */
    public ResumingStream open(long from, long to) {
      return new ResumingStream(
          from,
          to,
          descriptor.size(),
          (position, attempt) -> part(descriptor, position, to, attempt, serving));
    }
  }

  /**
   * How many places serve it: so many attempts are made before one is asked again.
   *
   * @param serving the place to begin at; becomes that which answered
   */
  private Opened part(
      Descriptor descriptor, long from, long to, int attempt, AtomicInteger serving) {
    List<Endpoint> able = able(false);
    int first = serving.get();
    // The order of preference, turned by the number of failures without progress.
    var failures = new ArrayList<JrtException>();
    for (int i = 0; i < able.size(); i++) {
      int place = (first + i + attempt) % able.size();
      Endpoint endpoint = able.get(place);
      try {
        Reply reply =
            requests.ask(
                endpoint,
                reference,
                auth,
                "GET",
                "blobs/" + descriptor.digest(),
                blobHeaders(from, to));
        Opened opened = opened(reply, descriptor, from, to);
        serving.set(place);
        return opened;
      } catch (IOException e) {
        failures.add(RegistryErrors.unavailable(endpoint, e));
      } catch (JrtException e) {
        if (RegistryErrors.isFinal(e)) {
          throw e;
        }
        failures.add(e);
      }
    }
    throw RegistryErrors.combined("fetch content", failures);
  }

  private static Opened opened(Reply reply, Descriptor descriptor, long from, long to) {
    if (reply.status() != 206) {
      return new Opened(reply.body(), 0, false);
    }
    String range = reply.header("content-range").orElse("");
    if (!isRight(range, from, to, descriptor.size())) {
      reply.close();
      throw new JrtException(
          ErrorKind.DATA_LOSS,
          "fetch content",
          "asked for "
              + descriptor.digest()
              + " from byte "
              + from
              + (to < 0 ? "" : " to " + (to - 1))
              + " of "
              + descriptor.size()
              + ", got the range '"
              + RegistryErrors.cleaned(range)
              + "'");
    }
    return new Opened(reply.body(), from, true);
  }

  /** A place may give less than what was asked for. How much there is it must say for a range. */
  private static boolean isRight(String range, long from, long to, long size) {
    Matcher told = CONTENT_RANGE.matcher(range);
    if (!told.matches() || !told.group(1).equals(Long.toString(from))) {
      return false;
    }
    String total = told.group(3);
    boolean known = total.equals(Long.toString(size)) || (to < 0 && total.equals("*"));
    long last = Long.parseLong(told.group(2));
    return known && last >= from && last < (to < 0 ? size : to);
  }

  /**
   * The documents that refer to a digest: by the referrers API, else by the tag that stands for it.
   */
  public List<Descriptor> referrers(Digest digest) {
    try {
      return first(true, endpoint -> referrersAt(endpoint, digest));
    } catch (JrtException e) {
      // A place without the API, or none that could be asked for it: the tag may be at a mirror.
      if (e.kind() != ErrorKind.NOT_FOUND && e.kind() != ErrorKind.UNAVAILABLE) {
        throw e;
      }
    }
    return documentOfTag(digest.algorithm() + "-" + digest.hex())
        .map(Served::document)
        .filter(Document.Index.class::isInstance)
        .map(document -> ((Document.Index) document).manifests())
        .orElse(List.of());
  }

  private List<Descriptor> referrersAt(Endpoint endpoint, Digest digest) throws IOException {
    try (Reply reply =
        requests.ask(
            endpoint,
            reference,
            auth,
            "GET",
            "referrers/" + digest,
            Map.of("Accept", MediaTypes.OCI_INDEX))) {
      byte[] bytes = reply.body().readNBytes(Json.MAX_DOCUMENT + 1);
      Document document = Document.parse("the referrers of " + digest, "", bytes);
      return document instanceof Document.Index index ? index.manifests() : List.of();
    }
  }

  /** The places that may be asked for a tag, or else for what has a digest. */
  private List<Endpoint> able(boolean resolving) {
    List<Endpoint> able =
        endpoints.stream().filter(resolving ? Endpoint::resolves : Endpoint::pulls).toList();
    if (able.isEmpty()) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "ask registry",
          "none of the hosts configured for "
              + reference.registry()
              + " ("
              + places()
              + ") has the capability '"
              + (resolving ? "resolve" : "pull")
              + "'");
    }
    return able;
  }

  /** Where the name is asked for, in order, for messages. */
  public String places() {
    return String.join(", ", endpoints.stream().map(Endpoint::host).toList());
  }

  private <T> T first(boolean resolving, Attempt<T> attempt) {
    var failures = new ArrayList<JrtException>();
    for (Endpoint endpoint : able(resolving)) {
      try {
        return attempt.at(endpoint);
      } catch (IOException e) {
        failures.add(RegistryErrors.unavailable(endpoint, e));
      } catch (JrtException e) {
        if (RegistryErrors.isFinal(e)) {
          throw e;
        }
        failures.add(e);
      }
    }
    throw RegistryErrors.combined("ask registry", failures);
  }

  /**
   * A stream and the position of its first byte.
   *
   * @param inRanges whether it is what was asked for, not all of the blob
   */
  record Opened(InputStream stream, long start, boolean inRanges) {}

  private interface Attempt<T> {
    T at(Endpoint endpoint) throws IOException;
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
}
