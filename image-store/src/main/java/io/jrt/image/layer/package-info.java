/**
 * Layers: from a stream of compressed bytes to a directory that overlayfs takes as a lower. The
 * bytes are hostile until both digests have matched, and the names in them stay hostile for ever:
 * every file is made by calls below a directory descriptor that cannot leave the layer.
 */
@NullMarked
package io.jrt.image.layer;

import org.jspecify.annotations.NullMarked;
