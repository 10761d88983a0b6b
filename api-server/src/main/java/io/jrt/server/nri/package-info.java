/** NRI: plugins beside the daemon that hear of pods and containers and may change them. */
@NullMarked
package io.jrt.server.nri;

import org.jspecify.annotations.NullMarked;
