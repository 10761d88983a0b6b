package io.jrt.image.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImagePolicy.Beside;
import io.jrt.image.ImagePolicy.Subject;
import io.jrt.image.ImagePolicy.Verdict;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SignaturePolicyTest {
  private static final String IMAGE = Digest.sha256(new byte[] {1}).toString();
  private static final String OTHER = Digest.sha256(new byte[] {2}).toString();
  private static final byte[] CONFIG = "{}".getBytes(StandardCharsets.UTF_8);

  @TempDir Path temp;

  private static final class Repository implements Beside {
    private final Map<String, List<byte[]>> attached = new HashMap<>();
    private final Map<Digest, byte[]> blobs = new HashMap<>();

    Repository signed(String digest, byte[] payload, byte[] manifest) {
      attached.put(digest, List.of("not json".getBytes(StandardCharsets.UTF_8), manifest));
      blobs.put(Digest.sha256(payload), payload);
      return this;
    }

    @Override
    public Stream<byte[]> attached(Digest subject, String tag) {
      assertEquals("sha256-" + subject.hex() + ".sig", tag);
      return attached.getOrDefault(subject.toString(), List.of()).stream();
    }

    @Override
    public byte[] blob(Digest digest, long size) {
      byte[] found = blobs.get(digest);
      if (found == null) {
        throw new JrtException(ErrorKind.NOT_FOUND, "fetch content", "no blob " + digest);
      }
      return found;
    }
  }

  private Path rules(String text) throws Exception {
    return Files.writeString(temp.resolve("policy.toml"), text);
  }

  private Verdict check(Path rules, Repository repository) {
    var subject = new Subject("r.example/a/b:1", "r.example", "a/b", IMAGE, OTHER);
    return new SignaturePolicy(rules).check(subject, repository);
  }

  private Path wants(Cosign key) throws Exception {
    key.publicKey(temp.resolve("key.pub"));
    return rules("[[signature]]\nimages = [\"r.example/**\"]\nkeys = [\"key.pub\"]\n");
  }

  @Test
  void aSignatureOfEveryKindOfKeyIsTaken() throws Exception {
    for (Cosign key :
        List.of(
            Cosign.ecdsa(),
            Cosign.of("EC", 384, "SHA384withECDSA"),
            Cosign.of("RSA", 2048, "SHA256withRSA"),
            Cosign.of("Ed25519", 0, "Ed25519"))) {
      byte[] payload = Cosign.payload(IMAGE);
      var repository = new Repository().signed(IMAGE, payload, key.manifest(payload, CONFIG, ""));
      assertInstanceOf(Verdict.Allowed.class, check(wants(key), repository), key.algorithm());
    }
  }

  @Test
  void theSignatureOfThePlatformsManifestDoesToo() throws Exception {
    Cosign key = Cosign.ecdsa();
    byte[] payload = Cosign.payload(OTHER);
    var repository = new Repository().signed(OTHER, payload, key.manifest(payload, CONFIG, ""));
    assertInstanceOf(Verdict.Allowed.class, check(wants(key), repository));
  }

  private static String reason(Verdict verdict) {
    Verdict.Denied denied = assertInstanceOf(Verdict.Denied.class, verdict);
    assertTrue(denied.signature());
    return denied.reason();
  }

  @Test
  void noSignatureIsDenied() throws Exception {
    String reason = reason(check(wants(Cosign.ecdsa()), new Repository()));
    assertEquals(IMAGE + " has no signature", reason);
  }

  @Test
  void aSignatureOfAnotherKeyIsDenied() throws Exception {
    byte[] payload = Cosign.payload(IMAGE);
    Cosign stranger = Cosign.ecdsa();
    var repository =
        new Repository().signed(IMAGE, payload, stranger.manifest(payload, CONFIG, ""));
    String reason = reason(check(wants(Cosign.ecdsa()), repository));
    assertTrue(reason.contains("1 not made with ") && reason.contains("key.pub"), reason);
  }

  @Test
  void aSignatureForAnotherImageIsDenied() throws Exception {
    Cosign key = Cosign.ecdsa();
    byte[] payload = Cosign.payload(Digest.sha256(new byte[] {3}).toString());
    var repository = new Repository().signed(IMAGE, payload, key.manifest(payload, CONFIG, ""));
    String reason = reason(check(wants(key), repository));
    assertTrue(reason.endsWith("1 signed for another image"), reason);
  }

  @Test
  void noDamagedSignatureIsTaken() throws Exception {
    Cosign key = Cosign.ecdsa();
    Path rules = wants(key);
    byte[] payload = Cosign.payload(IMAGE);
    byte[] manifest = key.manifest(payload, CONFIG, "");
    String text = new String(manifest, StandardCharsets.UTF_8);
    int from = text.indexOf("cosign/signature\":\"") + 19;
    int to = text.indexOf('"', from);
    var random = new Random(3);
    for (int round = 0; round < 200; round++) {
      byte[] bad = manifest.clone();
      // A flip in the low bits of the last digit may leave the same bytes.
      bad[from + random.nextInt(to - from - 4)] ^= (byte) (1 << random.nextInt(6));
      reason(check(rules, new Repository().signed(IMAGE, payload, bad)));
    }
  }

  @Test
  void aRegistryThatDoesNotAnswerIsNoVerdict() throws Exception {
    Path rules = wants(Cosign.ecdsa());
    var subject = new Subject("r.example/a/b:1", "r.example", "a/b", IMAGE, IMAGE);
    var silent =
        new Beside() {
          @Override
          public Stream<byte[]> attached(Digest digest, String tag) {
            throw new JrtException(ErrorKind.UNAVAILABLE, "ask registry", "nobody is there");
          }

          @Override
          public byte[] blob(Digest digest, long size) {
            throw new AssertionError("not asked");
          }
        };
    var policy = new SignaturePolicy(rules);
    JrtException e = assertThrows(JrtException.class, () -> policy.check(subject, silent));
    assertEquals(ErrorKind.UNAVAILABLE, e.kind());
  }

  @Test
  void theFirstRuleThatMatchesDecides() throws Exception {
    Cosign.ecdsa().publicKey(temp.resolve("key.pub"));
    Path rules =
        rules(
            """
            [[signature]]
            images = ["r.example/*/c"]
            keys = ["key.pub"]
            [[signature]]
            images = ["r.example/a/*"]
            keys = ["key.pub"]
            action = "warn"
            [[signature]]
            images = ["**"]
            keys = ["key.pub"]
            """);
    assertInstanceOf(Verdict.Warned.class, check(rules, new Repository()));
  }

  @Test
  void rulesThatCannotBeReadStopEveryPull() throws Exception {
    for (String text :
        List.of(
            "[[signature]]\nimages = [\"**\"]\nkeys = [\"missing.pub\"]\n",
            "[[signature]]\nimages = [\"**\"]\n",
            "[[signature]]\nkeys = [\"key.pub\"]\n",
            "[[signatures]]\nimages = [\"**\"]\n",
            "[[signature]]\nimages = [\"**\"]\nkeys = [\"k\"]\naction = \"maybe\"\n",
            "[[harbor]]\nimages = [\"**\"]\nseverity = \"awful\"\n",
            "[[harbor]]\nimages = [\"**\"]\nseverty = \"high\"\n",
            "signature = 1",
            "not toml at all")) {
      Path rules = rules(text);
      JrtException e = assertThrows(JrtException.class, () -> check(rules, new Repository()), text);
      assertEquals(ErrorKind.FAILED_PRECONDITION, e.kind(), text);
    }
  }
}
