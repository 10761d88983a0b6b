/** The {@code jrt} command: arguments, calls to the daemon, tables and progress for people. */
@NullMarked
package io.jrt.cli;

import org.jspecify.annotations.NullMarked;
