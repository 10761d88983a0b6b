package io.jrt.linux;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What an overlay is made of.
 *
 * @param lower the read-only layers, the uppermost first; at least one
 * @param upper the writable layer and its work directory (empty and on the same file system); none
 *     makes a read-only overlay, which needs two lower layers
 * @param isVolatile no sync at unmount: faster, but after a crash the upper layer is to be
 *     discarded
 * @param userxattr whiteouts and origin in {@code user.overlay.*}, for overlays of user namespaces
 * @param label the SELinux label of all its files, empty for their own
 * @param source what /proc/mounts shows as its source
 */
public record OverlayOptions(
    List<Layer> lower,
    Optional<Upper> upper,
    boolean isVolatile,
    boolean userxattr,
    String source,
    String label) {

  /** The writable layer: where changes go, and the work directory overlayfs needs beside it. */
  public record Upper(Path directory, Path work) {}

  public OverlayOptions {
    lower = List.copyOf(lower);
  }

  public static OverlayOptions readOnly(List<Layer> lower) {
    return new OverlayOptions(lower, Optional.empty(), false, false, "overlay", "");
  }

  public static OverlayOptions writable(List<Layer> lower, Path upper, Path work) {
    return new OverlayOptions(
        lower, Optional.of(new Upper(upper, work)), false, false, "overlay", "");
  }

  /** The same without sync at unmount. */
  public OverlayOptions asVolatile() {
    return new OverlayOptions(lower, upper, true, userxattr, source, label);
  }

  /** The same with an SELinux label that all its files carry; empty for none. */
  public OverlayOptions labelled(String context) {
    return new OverlayOptions(lower, upper, isVolatile, userxattr, source, context);
  }
}
