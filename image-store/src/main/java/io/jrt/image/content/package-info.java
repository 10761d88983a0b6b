/**
 * The documents of an image (manifest, index, configuration) and the blobs that hold them. Every
 * byte here came from outside: sizes, depth and digests are checked before anything is believed.
 */
@NullMarked
package io.jrt.image.content;

import org.jspecify.annotations.NullMarked;
