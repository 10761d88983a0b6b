/** Images as the CRI and the admin calls both need them. */
@NullMarked
package io.jrt.server.image;

import org.jspecify.annotations.NullMarked;
