package io.jrt.image.content;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Mutations;
import io.jrt.image.Platform;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Documents of hostile registries: read, or refused as invalid, never anything else. */
final class DocumentFuzzTest {
  private static final String HEX = "0123456789abcdef".repeat(4);
  private static final String CONFIG =
      """
      {"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00Z","variant":"v3",
       "config":{"User":"1000:1000","Env":["PATH=/bin","A=b"],"Entrypoint":["/bin/sh"],
         "Cmd":["-c","true"],"WorkingDir":"/w","Labels":{"a":"b"},"Volumes":{"/data":{}},
         "ExposedPorts":{"80/tcp":{}},"StopSignal":"SIGTERM"},
       "rootfs":{"type":"layers","diff_ids":["sha256:%1$s","sha256:%1$s"]},
       "history":[{"created_by":"x","empty_layer":true}]}
      """
          .formatted(HEX);
  private static final String MANIFEST =
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
       "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%1$s",
         "size":7023},
       "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",
         "digest":"sha256:%1$s","size":32654,"annotations":{"a":"b"}}],
       "subject":{"mediaType":"x/y","digest":"sha256:%1$s","size":1},"annotations":{"k":"v"}}
      """
          .formatted(HEX);
  private static final String INDEX =
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
       {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":71,"digest":"sha256:%1$s",
        "platform":{"architecture":"arm64","os":"linux","variant":"v8","os.features":["x"]}},
       {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":72,"digest":"sha256:%1$s",
        "platform":{"architecture":"amd64","os":"linux"}}]}
      """
          .formatted(HEX);

  private interface Reader {
    void read(byte[] bytes);
  }

  private static void all(String good, Reader reader) {
    Mutations mutations = Mutations.seeded();
    byte[] bytes = good.getBytes(StandardCharsets.UTF_8);
    reader.read(bytes);
    for (int round = 0; round < Mutations.rounds(6_000); round++) {
      byte[] bad = mutations.of(bytes);
      try {
        reader.read(bad);
      } catch (JrtException e) {
        assertThat(e.kind())
            .as(new String(bad, StandardCharsets.UTF_8))
            .isIn(ErrorKind.INVALID, ErrorKind.UNIMPLEMENTED);
      }
    }
  }

  @Test
  void manifests() {
    all(
        MANIFEST,
        bytes -> {
          Document document = Document.parse("the manifest", "", bytes);
          if (document instanceof Document.Manifest manifest) {
            manifest.requireRunnable("it");
            assertThat(manifest.contentSize()).isNotNegative();
            manifest.layers().forEach(layer -> assertThat(layer.size()).isNotNegative());
          }
        });
  }

  @Test
  void indexes() {
    Platform host = Platform.of("linux", "amd64", "");
    all(
        INDEX,
        bytes -> {
          if (Document.parse("the index", MediaTypes.OCI_INDEX, bytes)
              instanceof Document.Index index) {
            PlatformMatch.best(index.manifests(), host)
                .ifPresent(best -> assertThat(best.digest().hex()).matches("[0-9a-f]+"));
          }
        });
  }

  @Test
  void configurations() {
    all(
        CONFIG,
        bytes -> {
          ConfigDocument config = ConfigDocument.parse("the configuration", bytes);
          assertThat(config.chainIds()).hasSameSizeAs(config.diffIds());
        });
  }

  @Test
  void nestingIsBounded() {
    for (String open : List.of("[", "{\"a\":")) {
      byte[] deep =
          ("{\"schemaVersion\":2,\"x\":" + open.repeat(200_000)).getBytes(StandardCharsets.UTF_8);
      try {
        Document.parse("the manifest", "", deep);
        throw new AssertionError("read");
      } catch (JrtException e) {
        assertThat(e.kind()).isEqualTo(ErrorKind.INVALID);
      }
    }
  }
}
