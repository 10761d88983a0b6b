/** Parsers of untrusted bytes, fed with bytes nobody meant. */
@NullMarked
package io.jrt.fuzz;

import org.jspecify.annotations.NullMarked;
