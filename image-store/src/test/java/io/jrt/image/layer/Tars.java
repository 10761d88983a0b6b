package io.jrt.image.layer;

import io.jrt.image.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Builds tars for tests, by another implementation than the one under test. */
public final class Tars {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar;

  public Tars() {
    tar = new TarArchiveOutputStream(bytes, 512, "ISO-8859-1");
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  public Tars file(String name, String content) {
    return file(name, content.getBytes(StandardCharsets.UTF_8), 0644);
  }

  public Tars file(String name, byte[] content, int mode) {
    return entry(name, TarConstants.LF_NORMAL, "", mode, 0, 0, content, Map.of());
  }

  public Tars dir(String name, int mode) {
    return entry(name + "/", TarConstants.LF_DIR, "", mode, 0, 0, new byte[0], Map.of());
  }

  public Tars symlink(String name, String target) {
    return entry(name, TarConstants.LF_SYMLINK, target, 0777, 0, 0, new byte[0], Map.of());
  }

  public Tars hardLink(String name, String target) {
    return entry(name, TarConstants.LF_LINK, target, 0644, 0, 0, new byte[0], Map.of());
  }

  public Tars entry(
      String name,
      byte type,
      String linkName,
      int mode,
      int uid,
      int gid,
      byte[] content,
      Map<String, String> pax) {
    try {
      var entry = new TarArchiveEntry(name, type, true);
      entry.setMode(mode);
      entry.setIds(uid, gid);
      entry.setModTime(1_600_000_000_000L);
      entry.setLinkName(linkName);
      if (type == TarConstants.LF_CHR || type == TarConstants.LF_BLK) {
        entry.setDevMajor(1);
        entry.setDevMinor(3);
      }
      entry.setSize(content.length);
      pax.forEach(entry::addPaxHeader);
      tar.putArchiveEntry(entry);
      tar.write(content);
      tar.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public byte[] bytes() {
    try {
      tar.close();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static byte[] gzip(byte[] plain) {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  public static Digest digest(byte[] content) {
    return Digest.sha256(content);
  }
}
