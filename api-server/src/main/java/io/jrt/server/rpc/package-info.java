/** gRPC on a unix socket: the socket, its peers, request ids, and how an error becomes a status. */
@NullMarked
package io.jrt.server.rpc;

import org.jspecify.annotations.NullMarked;
