/** The jrt command. */
@NullMarked
package io.jrt.cli;

import org.jspecify.annotations.NullMarked;
