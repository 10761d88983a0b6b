package io.jrt.image.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.image.RegistryAuth;
import io.jrt.image.layer.Tars;
import io.jrt.image.policy.Cosign;
import io.jrt.image.policy.Policies;
import io.jrt.linux.Kernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Signatures in a real registry. */
final class SignedImageIT {
  @TempDir Path temp;

  private static TestImage image(int number) throws Exception {
    byte[] content = ("content " + number).getBytes(StandardCharsets.UTF_8);
    return TestImage.of(new Tars().file("f", content, 0644).bytes());
  }

  private static void sign(TestRegistry registry, Cosign key, TestImage image, String place)
      throws Exception {
    String digest = Digest.sha256(image.manifest()).toString();
    byte[] payload = Cosign.payload(digest);
    byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
    registry.pushBlob("a/b", Digest.sha256(payload).toString(), payload);
    registry.pushBlob("a/b", Digest.sha256(config).toString(), config);
    byte[] manifest = key.manifest(payload, config, "");
    if (place.isEmpty()) {
      // The tag that stands for the referrers where a registry has no API for them.
      String type = "application/vnd.oci.image.manifest.v1+json";
      registry.pushManifest("a/b", Digest.sha256(manifest).toString(), type, manifest);
      byte[] index =
          """
          {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}
          """
              .formatted(TestImage.descriptor(type, manifest))
              .getBytes(StandardCharsets.UTF_8);
      registry.pushManifest(
          "a/b", digest.replace(':', '-'), "application/vnd.oci.image.index.v1+json", index);
      return;
    }
    registry.pushManifest(
        "a/b",
        digest.replace(':', '-') + place,
        "application/vnd.oci.image.manifest.v1+json",
        manifest);
  }

  @Test
  void onlySignedImagesComeByTagAndByReferrers() throws Exception {
    Cosign key = Cosign.ecdsa();
    key.publicKey(temp.resolve("key.pub"));
    Path rules = temp.resolve("policy.toml");
    Files.writeString(
        rules, "[[signature]]\nimages = [\"127.0.0.1:*/a/*\"]\nkeys = [\"key.pub\"]\n");
    var config =
        new ImageStoreConfig(
            temp.resolve("store"),
            ImageStoreConfig.Registries.NONE,
            ImageStoreConfig.Limits.DEFAULT,
            Policies.of(rules, ImageStoreConfig.Registries.NONE));
    try (var registry = TestRegistry.open(temp.resolve("registry"));
        var store = LocalImageStore.open(config, Kernel.open())) {
      for (int i = 1; i <= 4; i++) {
        registry.push("a/b", "v" + i, image(i));
      }
      sign(registry, key, image(1), ".sig");
      sign(registry, key, image(2), "");
      sign(registry, Cosign.ecdsa(), image(3), ".sig");
      for (int i = 1; i <= 4; i++) {
        var request = PullRequest.of(registry.host() + "/a/b:v" + i, RegistryAuth.NONE);
        if (i <= 2) {
          assertEquals(image(i).id(), store.pull(request, PullListener.NONE).id());
          continue;
        }
        JrtException e =
            assertThrows(JrtException.class, () -> store.pull(request, PullListener.NONE));
        assertEquals(ErrorKind.DENIED, e.kind());
        assertEquals("verify signature", e.step());
        assertTrue(
            String.valueOf(e.getMessage()).contains(i == 3 ? "not made with" : "has no signature"),
            e.getMessage());
      }
      assertEquals(2, store.list().size());
      assertEquals(0, store.pulls().size());
    }
  }

  @Test
  void aMirrorAloneTellsOfSignatures() throws Exception {
    Cosign key = Cosign.ecdsa();
    key.publicKey(temp.resolve("key.pub"));
    Path rules =
        Files.writeString(
            temp.resolve("policy.toml"),
            "[[signature]]\nimages = [\"far.invalid/a/*\"]\nkeys = [\"key.pub\"]\n");
    try (var registry = TestRegistry.open(temp.resolve("registry"))) {
      Path mirrors =
          Files.writeString(
              temp.resolve("registries.yaml"),
              "mirrors: {far.invalid: {endpoint: [\"http://%s\"]}}\n".formatted(registry.host()));
      var registries =
          new ImageStoreConfig.Registries(
              Optional.of(mirrors), List.of(), Optional.empty(), List.of());
      var config =
          new ImageStoreConfig(
              temp.resolve("store"),
              registries,
              ImageStoreConfig.Limits.DEFAULT,
              Policies.of(rules, registries));
      for (int i = 1; i <= 3; i++) {
        registry.push("a/b", "v" + i, image(i));
      }
      sign(registry, key, image(1), ".sig");
      sign(registry, key, image(2), "");
      try (var store = LocalImageStore.open(config, Kernel.open())) {
        for (int i = 1; i <= 2; i++) {
          var request = PullRequest.of("far.invalid/a/b:v" + i, RegistryAuth.NONE);
          assertEquals(image(i).id(), store.pull(request, PullListener.NONE).id());
        }
        // Nobody says that there is none: the registry itself cannot be asked.
        var request = PullRequest.of("far.invalid/a/b:v3", RegistryAuth.NONE);
        JrtException e =
            assertThrows(JrtException.class, () -> store.pull(request, PullListener.NONE));
        assertEquals(ErrorKind.UNAVAILABLE, e.kind(), e.getMessage());
        assertTrue(
            String.valueOf(e.getMessage()).contains("far.invalid: nobody knows its address"),
            e.getMessage());
      }
    }
  }
}
