/** Mutating requests as objects: joinable, listed, with a step to fail at in tests. */
@NullMarked
package io.jrt.core.op;

import org.jspecify.annotations.NullMarked;
