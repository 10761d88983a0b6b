@NullMarked
package io.jrt.server.rpc;

import org.jspecify.annotations.NullMarked;
