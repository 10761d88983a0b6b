package io.jrt.it;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * An image in memory, ready to be pushed: a manifest and the blobs it names.
 *
 * @param manifest the manifest's JSON
 * @param blobs configuration and layers by digest
 */
record TestImage(String manifest, Map<String, byte[]> blobs) {
  static final String MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

  /** In order, so that the same image has the same digest in every run. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

  /** How layers are packed. */
  enum Packing {
    GZIP("+gzip"),
    ZSTD("+zstd"),
    NONE("");

    private final String suffix;

    Packing(String suffix) {
      this.suffix = suffix;
    }
  }

  /** An image of these layers (uncompressed tars) with this {@code config} object. */
  static TestImage of(Map<String, Object> config, Packing packing, List<byte[]> layers) {
    Map<String, byte[]> blobs = new LinkedHashMap<>();
    List<Map<String, Object>> descriptors = new ArrayList<>();
    List<String> diffIds = new ArrayList<>();
    for (byte[] layer : layers) {
      byte[] packed = pack(layer, packing);
      blobs.put(digest(packed), packed);
      diffIds.add(digest(layer));
      descriptors.add(
          descriptor("application/vnd.oci.image.layer.v1.tar" + packing.suffix, packed));
    }
    Map<String, Object> image = new LinkedHashMap<>();
    image.put("created", "2026-01-01T00:00:00Z");
    image.put("architecture", architecture());
    image.put("os", "linux");
    image.put("config", config);
    image.put("rootfs", Map.of("type", "layers", "diff_ids", diffIds));
    byte[] configBlob = JSON.writeValueAsBytes(image);
    blobs.put(digest(configBlob), configBlob);
    Map<String, Object> manifest = new LinkedHashMap<>();
    manifest.put("schemaVersion", 2);
    manifest.put("mediaType", MANIFEST_TYPE);
    manifest.put("config", descriptor("application/vnd.oci.image.config.v1+json", configBlob));
    manifest.put("layers", descriptors);
    return new TestImage(JSON.writeValueAsString(manifest), blobs);
  }

  String digest() {
    return digest(utf8(manifest));
  }

  static String digest(byte[] bytes) {
    try {
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, Object> descriptor(String mediaType, byte[] blob) {
    Map<String, Object> descriptor = new LinkedHashMap<>();
    descriptor.put("mediaType", mediaType);
    descriptor.put("digest", digest(blob));
    descriptor.put("size", blob.length);
    return descriptor;
  }

  private static byte[] pack(byte[] layer, Packing packing) {
    return switch (packing) {
      case NONE -> layer;
      case ZSTD -> Zstd.compress(layer);
      case GZIP -> {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
          gzip.write(layer);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        yield out.toByteArray();
      }
    };
  }

  static String architecture() {
    String arch = System.getProperty("os.arch");
    return arch.equals("aarch64") ? "arm64" : arch;
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
