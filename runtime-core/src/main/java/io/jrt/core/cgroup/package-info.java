/** Control groups, v2 and v1 behind one interface: limits, statistics, freezing, killing. */
@NullMarked
package io.jrt.core.cgroup;

import org.jspecify.annotations.NullMarked;
