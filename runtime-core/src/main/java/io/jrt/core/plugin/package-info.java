/** What programs beside the daemon hear of pods and containers, and may change in them. */
@NullMarked
package io.jrt.core.plugin;

import org.jspecify.annotations.NullMarked;
