/**
 * Starts containers and processes in them through {@code jrt-init}, and finds them again after a
 * restart of the daemon. What is started is decided elsewhere; this package knows no policy.
 */
@NullMarked
package io.jrt.core.launch;

import org.jspecify.annotations.NullMarked;
