/**
 * Tells what the daemon does as OpenTelemetry traces, where the node's configuration wants them.
 */
@NullMarked
package io.jrt.server.trace;

import org.jspecify.annotations.NullMarked;
