package io.jrt.core.life;

import io.jrt.core.store.Layout;
import io.jrt.image.FsUsage;
import io.jrt.image.Image;
import io.jrt.image.ImageClaim;
import io.jrt.image.ImageConfig;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageTree;
import io.jrt.image.Platform;
import io.jrt.image.PullListener;
import io.jrt.image.PullProgress;
import io.jrt.image.PullRequest;
import io.jrt.image.Snapshot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** An image store with one image, of the machine's busybox: a fake whose snapshots are real. */
final class BusyboxImages implements ImageStore {
  static final String NAME = "docker.io/library/busybox:latest";
  private static final String ID = "sha256:" + "b".repeat(64);
  private static final List<String> APPLETS =
      List.of(
          "sh",
          "cat",
          "ls",
          "id",
          "echo",
          "sleep",
          "true",
          "false",
          "head",
          "readlink",
          "mount",
          "hostname",
          "kill",
          "wc",
          "dd",
          "stat",
          "touch",
          "mkdir",
          "grep",
          "ps",
          "test",
          "env",
          "yes",
          "seq",
          "trap",
          "nc",
          "ip",
          "printf",
          "pwd",
          "sync",
          "tail",
          "date");

  private final Path root;
  private final Path layer;

  BusyboxImages(Path root) {
    this.root = root;
    this.layer = root.resolve("layer");
    try {
      if (!Files.exists(layer)) {
        Path bin = Files.createDirectories(layer.resolve("bin"));
        Files.createDirectories(layer.resolve("tmp"));
        Path etc = Files.createDirectories(layer.resolve("etc"));
        Files.writeString(
            etc.resolve("passwd"), "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:\n");
        Files.writeString(etc.resolve("group"), "root:x:0:\nstaff:x:50:app\n");
        Files.writeString(Files.createDirectory(layer.resolve("data")).resolve("file"), "image\n");
        Files.copy(Path.of("/usr/bin/busybox"), bin.resolve("busybox"));
        for (String applet : APPLETS) {
          Files.createSymbolicLink(bin.resolve(applet), Path.of("busybox"));
        }
      }
      Files.createDirectories(root.resolve("snapshots"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same image as an OCI layout, for a store that imports. */
  Path ociLayout(Path directory) {
    try {
      Path blobs = Files.createDirectories(directory.resolve("blobs/sha256"));
      Path tar = directory.resolve("layer.tar");
      Process process =
          new ProcessBuilder("tar", "--owner=0", "--group=0", "-cf", tar.toString(), ".")
              .directory(layer.toFile())
              .inheritIO()
              .start();
      if (process.waitFor() != 0) {
        throw new IOException("tar failed");
      }
      byte[] content = Files.readAllBytes(tar);
      Files.delete(tar);
      String layerDigest = put(blobs, content);
      byte[] config =
          """
          {"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin","IMAGE=yes"],"Cmd":["sh"]},
           "rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}\
          """
              .formatted(Platform.host().architecture(), layerDigest)
              .getBytes(StandardCharsets.UTF_8);
      String configDigest = put(blobs, config);
      byte[] manifest =
          """
          {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
           "config":{"mediaType":"application/vnd.oci.image.config.v1+json",
                     "digest":"sha256:%s","size":%d},
           "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",
                      "digest":"sha256:%s","size":%d}]}\
          """
              .formatted(configDigest, config.length, layerDigest, content.length)
              .getBytes(StandardCharsets.UTF_8);
      String manifestDigest = put(blobs, manifest);
      Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
      Files.writeString(
          directory.resolve("index.json"),
          """
          {"schemaVersion":2,"manifests":[{
            "mediaType":"application/vnd.oci.image.manifest.v1+json",
            "digest":"sha256:%s","size":%d,
            "annotations":{"org.opencontainers.image.ref.name":"%s"}}]}\
          """
              .formatted(manifestDigest, manifest.length, NAME));
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static String put(Path blobs, byte[] content) throws IOException {
    try {
      String digest =
          HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
      Files.write(blobs.resolve(digest), content);
      return digest;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Image image() {
    return new Image(
        ID,
        List.of(NAME),
        List.of("docker.io/library/busybox@sha256:" + "d".repeat(64)),
        1000,
        false,
        new ImageConfig(
            Platform.host(),
            ImageClaim.of("created", ""),
            ImageClaim.of("user", ""),
            ImageClaim.of("env", List.of("IMAGE=yes")),
            ImageClaim.of("entrypoint", List.of()),
            ImageClaim.of("cmd", List.of("sh")),
            ImageClaim.of("workingDir", ""),
            ImageClaim.of("labels", Map.of()),
            ImageClaim.of("volumes", List.of("/data")),
            ImageClaim.of("ports", List.of()),
            ImageClaim.of("stopSignal", "")),
        List.of(ID),
        Instant.EPOCH);
  }

  @Override
  public Image pull(PullRequest request, PullListener listener) {
    return image();
  }

  @Override
  public Optional<Image> find(String nameOrId) {
    return nameOrId.equals(ID) || nameOrId.contains("busybox")
        ? Optional.of(image())
        : Optional.empty();
  }

  @Override
  public List<Image> list() {
    return List.of(image());
  }

  @Override
  public boolean remove(String nameOrId) {
    return false;
  }

  @Override
  public void pin(String reference) {}

  @Override
  public List<Image> importArchive(Path source, PullListener listener) {
    return List.of();
  }

  @Override
  public List<PullProgress> pulls() {
    return List.of();
  }

  @Override
  public FsUsage imageUsage() {
    return new FsUsage(layer, 0, 0, Instant.now());
  }

  @Override
  public FsUsage snapshotsUsage() {
    return new FsUsage(root, 0, 0, Instant.now());
  }

  @Override
  public Snapshot prepareSnapshot(String key, String imageId) {
    try {
      Files.createDirectories(place(key).resolve("upper"));
      Files.createDirectories(place(key).resolve("work"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return snapshot(key).orElseThrow();
  }

  private Path place(String key) {
    return root.resolve("snapshots").resolve(key);
  }

  @Override
  public Optional<Snapshot> snapshot(String key) {
    Path place = place(key);
    return Files.exists(place)
        ? Optional.of(
            new Snapshot(key, ID, List.of(layer), place.resolve("upper"), place.resolve("work")))
        : Optional.empty();
  }

  @Override
  public void removeSnapshot(String key) {
    Layout.removeDirectory(place(key));
  }

  @Override
  public Set<String> snapshotKeys() {
    try (Stream<Path> keys = Files.list(root.resolve("snapshots"))) {
      Set<String> names = new HashSet<>();
      keys.forEach(key -> names.add(key.getFileName().toString()));
      return names;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public FsUsage snapshotUsage(String key) {
    return new FsUsage(place(key), 0, 0, Instant.now());
  }

  @Override
  public ImageTree imageTree(String nameOrId) {
    return new ImageTree() {
      @Override
      public String imageId() {
        return ID;
      }

      @Override
      public List<Path> lowerDirs() {
        return List.of(layer);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void collectGarbage() {}

  @Override
  public void close() {}
}
