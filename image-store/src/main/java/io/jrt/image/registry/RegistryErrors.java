package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.content.Json;
import io.jrt.image.registry.HttpTransport.Reply;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLHandshakeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What failing registries come to, as errors that name the place and the image. */
final class RegistryErrors {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryErrors.class);
  private static final int MAX_BODY = 4096;

  private RegistryErrors() {}

  /**
   * Of an answer that is neither success nor worth another attempt.
   *
   * @param name of the image
   * @param told what the registry says itself
   */
  static JrtException refused(
      Endpoint endpoint,
      String name,
      String method,
      int status,
      String told,
      Credential credential) {
    String who = endpoint.host() + " answers " + status;
    String why = told.isEmpty() ? "" : ": " + told;
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

  /** Errors that no other mirror can mend, or must not. */
  static boolean isFinal(JrtException e) {
    return switch (e.kind()) {
      case CANCELLED, FAILED_PRECONDITION, NO_SPACE, INVALID, INTERNAL -> true;
      default -> false;
    };
  }

  /** Whether the same request may go well a moment later. */
  static boolean mayHeal(IOException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SSLHandshakeException
          || cause instanceof UnknownHostException
          || cause instanceof UnresolvedAddressException) {
        return false;
      }
    }
    return true;
  }

  /** Of a place that gave no answer. */
  static JrtException unavailable(Endpoint endpoint, IOException e) {
    String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    if (e instanceof ConnectException) {
      why = mayHeal(e) ? "nobody answers there" : "nobody knows its address";
    }
    return new JrtException(
        ErrorKind.UNAVAILABLE, "ask registry", endpoint.host() + ": " + cleaned(why), e);
  }

  /** Of all places that were asked, at least one. */
  static JrtException combined(String step, List<JrtException> failures) {
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
  static String told(Reply reply) {
    try {
      String text = new String(reply.body().readNBytes(MAX_BODY), StandardCharsets.UTF_8).strip();
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

  /** Of one line, without control characters and without what may be a signature. */
  static String cleaned(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").replaceAll("\\?[^\\s\"']*", "?…");
    return line.length() > 400 ? line.substring(0, 400) + "…" : line;
  }
}
