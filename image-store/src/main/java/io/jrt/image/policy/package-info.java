/** Which images may come to this node: signatures, and what Harbor's scanners found. */
@NullMarked
package io.jrt.image.policy;

import org.jspecify.annotations.NullMarked;
