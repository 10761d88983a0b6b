/** The daemon: CRI over gRPC, streaming, admin API, metrics, configuration. */
@NullMarked
package io.jrt.server;

import org.jspecify.annotations.NullMarked;
