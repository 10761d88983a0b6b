package io.jrt.image.store;

import java.util.ArrayList;
import java.util.List;

/**
 * What is kept of an image, one JSON file each.
 *
 * @param id digest of the configuration
 * @param manifest digest of the manifest for this platform
 * @param tags full names with tags
 * @param digests full names with the digest of what was resolved
 * @param size compressed layers, configuration and manifest
 * @param layers the base first
 * @param pulledAt ISO 8601
 */
record ImageRecord(
    String id,
    String manifest,
    List<String> tags,
    List<String> digests,
    long size,
    List<Layer> layers,
    String pulledAt) {

  /** A layer of the image: its names and how it can be fetched again. */
  record Layer(String chainId, String diffId, String digest, long size, String mediaType) {}

  ImageRecord {
    tags = List.copyOf(tags);
    digests = List.copyOf(digests);
    layers = List.copyOf(layers);
  }

  ImageRecord withNames(List<String> newTags, List<String> newDigests) {
    return new ImageRecord(id, manifest, newTags, newDigests, size, layers, pulledAt);
  }

  ImageRecord withoutTag(String tag) {
    var left = new ArrayList<>(tags);
    left.remove(tag);
    return withNames(left, digests);
  }

  static List<String> plus(List<String> names, List<String> more) {
    var all = new ArrayList<>(names);
    for (String name : more) {
      if (!all.contains(name)) {
        all.add(name);
      }
    }
    return all;
  }
}
