/**
 * The HTTP server that exec, attach and port-forward clients connect to: one-use URLs, SPDY/3.1 and
 * WebSocket, and nothing about containers beyond {@link io.jrt.server.streaming.StreamingBackend}.
 */
@NullMarked
package io.jrt.server.streaming;

import org.jspecify.annotations.NullMarked;
