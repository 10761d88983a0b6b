package io.jrt.image.content;

import io.jrt.image.Platform;
import java.util.List;
import java.util.Optional;

/** Picks from an index the manifest that runs best on a platform. */
public final class PlatformMatch {
  private PlatformMatch() {}

  /**
   * The best manifest or nested index for a platform; entries without a platform come last, in
   * their order, since only their configuration tells.
   */
  public static Optional<Descriptor> best(List<Descriptor> entries, Platform wanted) {
    Descriptor best = null;
    int bestRank = Integer.MAX_VALUE;
    for (Descriptor entry : entries) {
      boolean document =
          MediaTypes.isManifest(entry.mediaType()) || MediaTypes.isIndex(entry.mediaType());
      if (!document || entry.isAttestation()) {
        continue;
      }
      int rank = entry.platform().map(offered -> rank(offered, wanted)).orElse(1000);
      if (rank >= 0 && rank < bestRank) {
        best = entry;
        bestRank = rank;
      }
    }
    return Optional.ofNullable(best);
  }

  /** Whether an image of a platform runs on another. */
  public static boolean runs(Platform offered, Platform wanted) {
    return rank(offered, wanted) >= 0;
  }

  /** 0 is best; negative when it does not run at all. */
  private static int rank(Platform offered, Platform wanted) {
    if (!offered.os().equals(wanted.os())) {
      return -1;
    }
    if (!offered.architecture().equals(wanted.architecture())) {
      return -1;
    }
    return switch (wanted.architecture()) {
      case "amd64" -> below(offered.variant(), wanted.variant(), 1);
      case "arm" -> below(offered.variant(), wanted.variant(), 7);
      case "arm64" -> below(offered.variant(), wanted.variant(), 8);
      default -> offered.variant().equals(wanted.variant()) ? 0 : 1;
    };
  }

  /** Newer machines run what older ones run: the highest variant that is not above ours wins. */
  private static int below(String offered, String wanted, int base) {
    int has = variant(wanted, base);
    int needs = variant(offered, base);
    return needs < 0 || has < 0 ? (offered.equals(wanted) ? 0 : -1) : has - needs;
  }

  private static int variant(String text, int base) {
    if (text.isEmpty()) {
      return base;
    }
    boolean number =
        text.length() == 2 && text.charAt(0) == 'v' && Character.isDigit(text.charAt(1));
    return number ? text.charAt(1) - '0' : -1;
  }
}
