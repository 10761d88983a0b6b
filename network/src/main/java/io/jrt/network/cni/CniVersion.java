package io.jrt.network.cni;

import java.util.List;

/** The versions of the CNI specification that jrt speaks, oldest first. */
enum CniVersion {
  V0_3_0("0.3.0"),
  V0_3_1("0.3.1"),
  V0_4_0("0.4.0"),
  V1_0_0("1.0.0"),
  V1_1_0("1.1.0");

  private final String text;

  CniVersion(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }

  static boolean isKnown(String text) {
    return List.of(values()).stream().anyMatch(version -> version.text.equals(text));
  }

  /** The version of that name, which must be known. */
  static CniVersion of(String text) {
    return List.of(values()).stream()
        .filter(version -> version.text.equals(text))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("unknown CNI version " + text));
  }

  boolean atLeast(CniVersion other) {
    return compareTo(other) >= 0;
  }
}
