package io.jrt.image.store;

import io.jrt.image.Digest;
import io.jrt.image.layer.Tars;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An image made by a test. */
public final class TestImage {
  private final Map<String, byte[]> blobs = new LinkedHashMap<>();
  private final byte[] config;
  private final byte[] manifest;
  private final List<byte[]> layers = new ArrayList<>();

  private TestImage(byte[] config, byte[] manifest) {
    this.config = config;
    this.manifest = manifest;
  }

  /** Of tars that become gzip layers. */
  public static TestImage of(byte[]... tars) {
    var compressed = new ArrayList<byte[]>();
    for (byte[] tar : tars) {
      compressed.add(Tars.gzip(tar));
    }
    return of("amd64", List.of(tars), compressed, "+gzip");
  }

  public static TestImage of(
      String architecture, List<byte[]> tars, List<byte[]> compressed, String suffix) {
    var diffIds = new ArrayList<String>();
    tars.forEach(tar -> diffIds.add("\"" + Digest.sha256(tar) + "\""));
    byte[] config =
        """
        {"architecture":"%s","os":"linux",
         "config":{"Env":["PATH=/bin"],"Entrypoint":["/bin/sh"],"Cmd":["-c","true"],
           "User":"1000:1000","WorkingDir":"/work","Labels":{"a":"b"},"Volumes":{"/data":{}},
           "StopSignal":"SIGINT"},
         "rootfs":{"type":"layers","diff_ids":[%s]}}
        """
            .formatted(architecture, String.join(",", diffIds))
            .getBytes(StandardCharsets.UTF_8);
    var layers = new ArrayList<String>();
    for (byte[] layer : compressed) {
      layers.add(descriptor("application/vnd.oci.image.layer.v1.tar" + suffix, layer));
    }
    byte[] manifest =
        """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
         "config":%s,"layers":[%s]}
        """
            .formatted(
                descriptor("application/vnd.oci.image.config.v1+json", config),
                String.join(",", layers))
            .getBytes(StandardCharsets.UTF_8);
    var image = new TestImage(config, manifest);
    image.blobs.put(Digest.sha256(config).toString(), config);
    for (byte[] layer : compressed) {
      image.blobs.put(Digest.sha256(layer).toString(), layer);
      image.layers.add(layer);
    }
    return image;
  }

  /** An index of images by architecture. */
  public static byte[] index(Map<String, TestImage> images) {
    var entries = new ArrayList<String>();
    entries.add(
        """
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,
         "digest":"sha256:%s","platform":{"os":"unknown","architecture":"unknown"},
         "annotations":{"vnd.docker.reference.type":"attestation-manifest"}}\
        """
            .formatted("0".repeat(64)));
    images.forEach(
        (architecture, image) ->
            entries.add(
                descriptor("application/vnd.oci.image.manifest.v1+json", image.manifest)
                    .replace(
                        "\"size\"",
                        "\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"},\"size\""
                            .formatted(architecture))));
    return """
    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}
    """
        .formatted(String.join(",", entries))
        .getBytes(StandardCharsets.UTF_8);
  }

  static String descriptor(String type, byte[] content) {
    return """
    {"mediaType":"%s","digest":"%s","size":%d}\
    """
        .formatted(type, Digest.sha256(content), content.length);
  }

  public String id() {
    return Digest.sha256(config).toString();
  }

  public byte[] config() {
    return config;
  }

  public byte[] manifest() {
    return manifest;
  }

  public String manifestType() {
    return "application/vnd.oci.image.manifest.v1+json";
  }

  public List<byte[]> layers() {
    return layers;
  }

  public Map<String, byte[]> blobs() {
    return blobs;
  }
}
