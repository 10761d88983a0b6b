/**
 * The image store of a node on one filesystem. A name becomes visible by one rename of something
 * that is complete and synced; what is found half-made at start is deleted.
 */
@NullMarked
package io.jrt.image.store;

import org.jspecify.annotations.NullMarked;
