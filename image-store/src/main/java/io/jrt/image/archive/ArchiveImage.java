package io.jrt.image.archive;

import io.jrt.image.Digest;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.Document;
import java.util.List;
import java.util.Map;

/**
 * An image of an archive.
 *
 * @param what names it in errors
 * @param tags full names with tags; may be empty
 * @param names full names without tag or digest, to which the target's digest belongs
 * @param target digest that the archive lists it by: an index's or the manifest's
 * @param manifest describes the manifest's bytes
 * @param content of the manifest
 * @param documents bytes by digest: manifest, index, and what else is small
 * @param files names in the archive, by digest of configuration and layers
 */
public record ArchiveImage(
    String what,
    List<String> tags,
    List<String> names,
    Digest target,
    Descriptor manifest,
    Document.Manifest content,
    Map<Digest, byte[]> documents,
    Map<Digest, String> files) {

  public ArchiveImage {
    tags = List.copyOf(tags);
    names = List.copyOf(names);
    documents = Map.copyOf(documents);
    files = Map.copyOf(files);
  }
}
