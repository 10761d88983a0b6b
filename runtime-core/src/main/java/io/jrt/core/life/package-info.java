/** The lives of pods and containers, and how they go on after a restart of the daemon. */
@NullMarked
package io.jrt.core.life;

import org.jspecify.annotations.NullMarked;
