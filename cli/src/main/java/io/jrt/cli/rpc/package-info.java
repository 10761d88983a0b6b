/**
 * gRPC over a unix socket with the JDK alone: enough of HTTP/2 (RFC 9113) and HPACK (RFC 7541) for
 * one call a connection. A full gRPC library would cost a third of a second at every start of the
 * command.
 */
@NullMarked
package io.jrt.cli.rpc;

import org.jspecify.annotations.NullMarked;
