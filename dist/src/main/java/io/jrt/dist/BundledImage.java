package io.jrt.dist;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;

/**
 * Writes the image that jrt carries with it: an OCI image layout, as a tar, of Debian's static
 * busybox with a link for each applet. The same busybox gives the same bytes.
 */
public final class BundledImage {
  /** The name under which the image is found after import. */
  static final String NAME = "localhost/jrt-busybox:latest";

  private static final Path BUSYBOX = Path.of("/bin/busybox");

  private BundledImage() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      throw new IllegalArgumentException("usage: BundledImage FILE.tar");
    }
    Path target = Path.of(args[0]);
    Files.createDirectories(target.toAbsolutePath().getParent());
    Files.write(target, archive());
  }

  private static byte[] archive() throws IOException {
    byte[] layer = layer();
    byte[] compressed = gzip(layer);
    byte[] config =
        utf8(
            """
            {"architecture":"%s","os":"linux",\
            "config":{"Cmd":["sh"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},\
            "rootfs":{"type":"layers","diff_ids":["sha256:%s"]},\
            "history":[{"created_by":"jrt: busybox-static"}]}\
            """
                .formatted(architecture(), sha256(layer)));
    byte[] manifest =
        utf8(
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
            "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},\
            "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%d}]}\
            """
                .formatted(sha256(config), config.length, sha256(compressed), compressed.length));
    byte[] index =
        utf8(
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",\
            "manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,\
            "annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"latest"}}]}\
            """
                .formatted(sha256(manifest), manifest.length, NAME));
    Tar tar = new Tar();
    tar.file("oci-layout", 0644, utf8("{\"imageLayoutVersion\":\"1.0.0\"}"));
    tar.file("index.json", 0644, index);
    for (byte[] blob : List.of(manifest, config, compressed)) {
      tar.file("blobs/sha256/" + sha256(blob), 0644, blob);
    }
    return tar.end();
  }

  private static byte[] layer() throws IOException {
    Tar tar = new Tar();
    for (String directory :
        List.of(
            "bin",
            "dev",
            "etc",
            "home",
            "proc",
            "root",
            "sbin",
            "sys",
            "usr",
            "usr/bin",
            "usr/sbin",
            "var",
            "var/www")) {
      tar.directory(directory, directory.equals("root") ? 0700 : 0755);
    }
    tar.directory("tmp", 01777);
    tar.file(
        "etc/passwd",
        0644,
        utf8("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"));
    tar.file("etc/group", 0644, utf8("root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"));
    tar.file("bin/busybox", 0755, Files.readAllBytes(BUSYBOX));
    for (String applet : applets()) {
      if (!applet.equals("busybox")) {
        tar.link("bin/" + applet, "busybox");
      }
    }
    return tar.end();
  }

  private static List<String> applets() throws IOException {
    Process list = new ProcessBuilder(BUSYBOX.toString(), "--list").start();
    try (var reader = list.inputReader()) {
      return reader.lines().map(String::strip).filter(name -> !name.isEmpty()).sorted().toList();
    }
  }

  /** The architecture in the words of the OCI image specification. */
  private static String architecture() {
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return arch.equals("aarch64") ? "arm64" : arch;
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Just enough of ustar for names below 100 bytes, all owned by root, dated 1970. */
  private static final class Tar {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void directory(String name, int mode) {
      header(name + "/", mode, 0, '5', "");
    }

    void file(String name, int mode, byte[] content) {
      header(name, mode, content.length, '0', "");
      write(content);
      write(new byte[(512 - content.length % 512) % 512]);
    }

    void link(String name, String target) {
      header(name, 0777, 0, '2', target);
    }

    byte[] end() {
      write(new byte[1024]);
      return out.toByteArray();
    }

    private void header(String name, int mode, long size, char type, String link) {
      byte[] header = new byte[512];
      put(header, 0, name);
      put(header, 100, "%07o".formatted(mode));
      put(header, 108, "%07o".formatted(0));
      put(header, 116, "%07o".formatted(0));
      put(header, 124, "%011o".formatted(size));
      put(header, 136, "%011o".formatted(0));
      put(header, 148, "        ");
      header[156] = (byte) type;
      put(header, 157, link);
      put(header, 257, "ustar\00000");
      int sum = 0;
      for (byte b : header) {
        sum += b & 0xff;
      }
      put(header, 148, "%06o\0 ".formatted(sum));
      write(header);
    }

    private static void put(byte[] header, int at, String text) {
      byte[] bytes = utf8(text);
      if (at == 0 && bytes.length > 100) {
        throw new IllegalArgumentException("name too long: " + text);
      }
      System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    private void write(byte[] bytes) {
      try {
        out.write(bytes);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
