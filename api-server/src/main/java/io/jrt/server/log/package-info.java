/** How the daemon's log looks, and what must not stand in it. */
@NullMarked
package io.jrt.server.log;

import org.jspecify.annotations.NullMarked;
