/** What the packages carry besides the code; runs at build time only. */
@NullMarked
package io.jrt.dist;

import org.jspecify.annotations.NullMarked;
