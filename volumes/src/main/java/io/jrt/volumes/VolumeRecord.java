package io.jrt.volumes;

import java.util.Map;
import java.util.TreeMap;

/** What is stored of a volume: {@code volume.json} in its directory. */
record VolumeRecord(
    int version,
    String name,
    String driver,
    long sizeBytes,
    Map<String, String> labels,
    Map<String, String> options,
    String created) {

  static final int VERSION = 1;

  VolumeRecord {
    labels = new TreeMap<>(labels);
    options = new TreeMap<>(options);
  }

  VolumeSpec spec() {
    return new VolumeSpec(name, driver, sizeBytes, labels, options);
  }
}
