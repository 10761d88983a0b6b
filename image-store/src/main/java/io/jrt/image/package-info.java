/** Images: registries, content, layers, snapshots. */
@NullMarked
package io.jrt.image;

import org.jspecify.annotations.NullMarked;
