/** The one way every module says what went wrong: a kind, a step, a sentence. */
@NullMarked
package io.jrt.errors;

import org.jspecify.annotations.NullMarked;
