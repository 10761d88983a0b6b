/** What the daemon tells systemd. */
@NullMarked
package io.jrt.server.systemd;

import org.jspecify.annotations.NullMarked;
