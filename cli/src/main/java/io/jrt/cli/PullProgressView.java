package io.jrt.cli;

import io.jrt.admin.v1.LayerPhase;
import io.jrt.admin.v1.LayerProgress;
import io.jrt.admin.v1.PullPhase;
import io.jrt.admin.v1.PullProgress;
import java.io.PrintStream;
import java.util.HashSet;
import java.util.Set;

/**
 * A pull as a person watches it: on a terminal one moving bar a layer, elsewhere one line for each
 * thing that is done.
 */
final class PullProgressView {
  private static final int BAR = 28;
  private static final String CLEAR_LINE = "\u001b[2K";

  private final PrintStream err;
  private final boolean moving;
  private final Set<String> told = new HashSet<>();
  private int drawn;

  PullProgressView(PrintStream err, boolean moving) {
    this.err = err;
    this.moving = moving;
  }

  void show(PullProgress progress) {
    if (moving) {
      draw(progress);
    } else {
      tell(progress);
    }
  }

  private void tell(PullProgress progress) {
    if (told.add(progress.getPhase().name())
        && progress.getPhase() == PullPhase.PULL_PHASE_RESOLVING) {
      err.println("pulling " + progress.getReference());
    }
    for (LayerProgress layer : progress.getLayersList()) {
      boolean present = layer.getPhase() == LayerPhase.LAYER_PHASE_PRESENT;
      boolean done = layer.getPhase() == LayerPhase.LAYER_PHASE_DONE;
      if ((present || done) && told.add(layer.getDigest())) {
        err.println(
            Words.shortId(layer.getDigest())
                + (present ? "  already here" : "  " + Words.size(layer.getTotal())));
      }
    }
  }

  private void draw(PullProgress progress) {
    StringBuilder out = new StringBuilder();
    if (drawn > 0) {
      out.append("\u001b[%dA".formatted(drawn));
    }
    String speed =
        progress.getBytesPerSecond() > 0
            ? "  " + Words.size(progress.getBytesPerSecond()) + "/s"
            : "";
    String detail = progress.getDetail().isEmpty() ? "" : "  " + progress.getDetail();
    out.append(CLEAR_LINE)
        .append(progress.getReference())
        .append("  ")
        .append(word(progress.getPhase()))
        .append(speed)
        .append(eta(progress))
        .append(detail)
        .append('\n');
    int lines = 1;
    for (LayerProgress layer : progress.getLayersList()) {
      out.append(CLEAR_LINE).append(line(layer)).append('\n');
      lines++;
    }
    drawn = lines;
    err.print(out);
    err.flush();
  }

  private static String eta(PullProgress progress) {
    long left = 0;
    for (LayerProgress layer : progress.getLayersList()) {
      left += Math.max(0, layer.getTotal() - layer.getBytes());
    }
    if (left == 0
        || progress.getBytesPerSecond() <= 0
        || progress.getPhase() != PullPhase.PULL_PHASE_FETCHING) {
      return "";
    }
    return "  " + (left / progress.getBytesPerSecond() + 1) + "s left";
  }

  private static String line(LayerProgress layer) {
    String id = Words.shortId(layer.getDigest());
    long total = layer.getTotal();
    int filled = total > 0 ? (int) Math.min(BAR, layer.getBytes() * BAR / total) : 0;
    return switch (layer.getPhase()) {
      case LAYER_PHASE_PRESENT -> id + "  already here";
      case LAYER_PHASE_DONE -> id + "  done " + Words.size(total);
      case LAYER_PHASE_COMMITTING -> id + "  writing " + Words.size(layer.getUnpacked());
      case LAYER_PHASE_SHARED -> id + "  fetched by another pull";
      case LAYER_PHASE_WAITING, LAYER_PHASE_UNSPECIFIED, UNRECOGNIZED -> id + "  waiting";
      case LAYER_PHASE_FETCHING ->
          id
              + "  ["
              + "=".repeat(filled)
              + " ".repeat(BAR - filled)
              + "]  "
              + Words.size(layer.getBytes())
              + " / "
              + Words.size(total);
    };
  }

  static String word(PullPhase phase) {
    return switch (phase) {
      case PULL_PHASE_QUEUED -> "queued";
      case PULL_PHASE_RESOLVING -> "resolving";
      case PULL_PHASE_CHECKING -> "checking policy";
      case PULL_PHASE_FETCHING -> "fetching";
      case PULL_PHASE_COMMITTING -> "writing";
      case PULL_PHASE_DONE -> "done";
      case PULL_PHASE_FAILED -> "failed";
      case PULL_PHASE_UNSPECIFIED, UNRECOGNIZED -> "";
    };
  }
}
