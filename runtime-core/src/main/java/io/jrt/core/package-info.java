/** Pods and containers: their states, launch, resources and recovery. */
@NullMarked
package io.jrt.core;

import org.jspecify.annotations.NullMarked;
