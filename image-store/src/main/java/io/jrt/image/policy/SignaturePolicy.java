package io.jrt.image.policy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImagePolicy;
import io.jrt.image.content.Json;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * Wants cosign signatures made with known keys, found by cosign's tag ({@code sha256-<hex>.sig}) or
 * as OCI referrers. What is signed is the payload: it must name the digest that is pulled, of the
 * index or of the manifest in it. Where rules have no matching image, no signature is wanted.
 */
public final class SignaturePolicy implements ImagePolicy {
  private static final String LAYER = "application/vnd.dev.cosign.simplesigning.v1+json";
  private static final String ANNOTATION = "dev.cosignproject.cosign/signature";
  private static final String PAYLOAD_TYPE = "cosign container image signature";
  private static final int MAX_PAYLOAD = 64 << 10;
  private static final int MAX_SIGNATURES = 64;

  private final PolicyFile file;

  public SignaturePolicy(Path file) {
    this.file = new PolicyFile(file);
  }

  @Override
  public String name() {
    return "signature";
  }

  @Override
  public Verdict check(Subject subject, Beside beside) {
    PolicyFile.SignatureRule rule = file.read().signature(subject).orElse(null);
    if (rule == null || rule.action() == Action.OFF) {
      return new Verdict.Allowed();
    }
    List<PublicKey> keys = PublicKeys.read(rule.keys());
    var tally = new Tally();
    for (String text : new LinkedHashSet<>(List.of(subject.digest(), subject.manifestDigest()))) {
      Digest digest = Digest.parse(text);
      String tag = digest.algorithm() + "-" + digest.hex() + ".sig";
      if (beside.attached(digest, tag).anyMatch(one -> isSigned(one, text, keys, beside, tally))) {
        return new Verdict.Allowed();
      }
    }
    return rule.action().verdict(tally.sentence(subject.digest(), rule.keys()), true);
  }

  /** Counts why signatures did not do. */
  private static final class Tally {
    private int seen;
    private int unreadable;
    private int ofOthers;
    private int ofOtherImages;

    String sentence(String digest, List<Path> keys) {
      if (seen == 0) {
        return digest + " has no signature";
      }
      String known = String.join(" or ", keys.stream().map(Path::toString).toList());
      String why =
          ofOtherImages > 0
              ? ofOtherImages + " signed for another image"
              : ofOthers > 0
                  ? ofOthers + " not made with " + known
                  : unreadable + " that cannot be read";
      return digest + " has no valid signature: of " + seen + " found, " + why;
    }
  }

  private static boolean isSigned(
      byte[] manifest, String digest, List<PublicKey> keys, Beside beside, Tally tally) {
    String what = "the signature of " + digest;
    try {
      for (JsonNode layer : Json.object(what, manifest).path("layers")) {
        if (!Json.text(what, layer, "mediaType").equals(LAYER) || tally.seen >= MAX_SIGNATURES) {
          continue;
        }
        tally.seen++;
        String encoded = Json.textMap(what, layer, "annotations").getOrDefault(ANNOTATION, "");
        long size = Json.number(what, layer, "size");
        if (size < 0 || size > MAX_PAYLOAD) {
          continue;
        }
        byte[] payload = beside.blob(Digest.parse(Json.text(what, layer, "digest")), size);
        if (!PublicKeys.anySigned(keys, payload, Base64.getDecoder().decode(encoded))) {
          tally.ofOthers++;
        } else if (names(payload, digest)) {
          return true;
        } else {
          tally.ofOtherImages++;
        }
      }
    } catch (IllegalArgumentException e) {
      tally.ofOthers++;
    } catch (JrtException e) {
      // A document that cannot be read is no signature; a registry that does not answer is no
      // decision.
      if (e.kind() != ErrorKind.INVALID && e.kind() != ErrorKind.NOT_FOUND) {
        throw e;
      }
      tally.unreadable++;
    }
    return false;
  }

  private static boolean names(byte[] payload, String digest) {
    String what = "a signed payload";
    JsonNode critical = Json.objectOrMissing(what, Json.object(what, payload), "critical");
    JsonNode image = Json.objectOrMissing(what, critical, "image");
    return Json.text(what, critical, "type").equals(PAYLOAD_TYPE)
        && Json.text(what, image, "docker-manifest-digest").equals(digest);
  }
}
