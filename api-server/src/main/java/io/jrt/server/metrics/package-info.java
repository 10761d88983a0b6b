/** What the daemon counts of itself, for Prometheus. */
@NullMarked
package io.jrt.server.metrics;

import org.jspecify.annotations.NullMarked;
