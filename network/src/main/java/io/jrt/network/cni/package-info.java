/** Pods connected by CNI plugins. */
@NullMarked
package io.jrt.network.cni;

import org.jspecify.annotations.NullMarked;
