package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Image;
import io.jrt.image.Platform;
import io.jrt.image.PullProgress;
import io.jrt.image.archive.ArchiveFiles;
import io.jrt.image.archive.ArchiveImage;
import io.jrt.image.archive.ArchiveReader;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Images from an archive, by the same way as from a registry. */
final class Importer {
  private final StoreFiles files;
  private final Puller puller;
  private final long maxBytes;

  Importer(StoreFiles files, Puller puller, long maxBytes) {
    this.files = files;
    this.puller = puller;
    this.maxBytes = maxBytes;
  }

  List<Image> importFrom(Path source, PullTracker tracker) {
    tracker.phase(PullProgress.Phase.RESOLVING, "reads " + source);
    Path temp = files.newTemp("import");
    try (ArchiveFiles archive = ArchiveFiles.of(source, temp, maxBytes)) {
      var imported = new ArrayList<Image>();
      for (ArchiveImage image : new ArchiveReader(archive, Platform.host()).images()) {
        imported.add(importOne(archive, image, tracker));
      }
      return List.copyOf(imported);
    } catch (IOException e) {
      boolean missing = e instanceof java.nio.file.NoSuchFileException;
      throw missing
          ? new JrtException(
              ErrorKind.NOT_FOUND, "import image", "there is no archive " + source, e)
          : new JrtException(
              ErrorKind.INVALID, "import image", source + " cannot be read: " + e.getMessage(), e);
    } finally {
      files.discard(temp);
    }
  }

  private Image importOne(ArchiveFiles archive, ArchiveImage image, PullTracker tracker) {
    for (Map.Entry<Digest, byte[]> document : image.documents().entrySet()) {
      files.putBlob(document.getKey(), document.getValue());
    }
    var digests = new ArrayList<String>();
    image.names().forEach(name -> digests.add(name + "@" + image.target()));
    var found =
        new Puller.Found(
            image.what(),
            new Puller.Names(image.tags(), digests),
            image.content(),
            image.manifest(),
            Platform.host());
    return puller.store(found, new ArchiveSource(archive, image), tracker);
  }

  private record ArchiveSource(ArchiveFiles archive, ArchiveImage image) implements ImageSource {

    @Override
    public byte[] document(Descriptor descriptor) {
      try (InputStream in = layer(descriptor, 0)) {
        byte[] bytes = in.readNBytes(Json.MAX_DOCUMENT + 1);
        if (!descriptor.digest().of(bytes).equals(descriptor.digest())) {
          throw new JrtException(
              ErrorKind.DATA_LOSS,
              "import image",
              descriptor.digest() + " in the archive is damaged");
        }
        return bytes;
      } catch (IOException e) {
        throw unreadable(descriptor, e);
      }
    }

    @Override
    public boolean isFar() {
      return false;
    }

    @Override
    public InputStream layer(Descriptor descriptor, long from) {
      String name = image.files().getOrDefault(descriptor.digest(), "");
      try {
        InputStream stream =
            archive
                .open(name)
                .orElseThrow(
                    () ->
                        new JrtException(
                            ErrorKind.INVALID,
                            "import image",
                            "the archive lacks " + descriptor.digest()));
        stream.skipNBytes(from);
        return stream;
      } catch (IOException e) {
        throw unreadable(descriptor, e);
      }
    }

    private static JrtException unreadable(Descriptor descriptor, IOException e) {
      return new JrtException(
          ErrorKind.INVALID,
          "import image",
          descriptor.digest() + " of the archive cannot be read",
          e);
    }
  }
}
