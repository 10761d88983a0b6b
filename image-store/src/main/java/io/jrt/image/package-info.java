/**
 * Images: what they are to the rest of jrt. The interface {@link io.jrt.image.ImageStore} and its
 * records; {@code store} implements it with {@code registry} (fetch), {@code content} (documents
 * and blobs), {@code layer} (unpack), {@code snapshot}, {@code archive} (import) and {@code policy}
 * (who may be pulled).
 */
@NullMarked
package io.jrt.image;

import org.jspecify.annotations.NullMarked;
