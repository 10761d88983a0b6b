/** The whole daemon on real parts: a real registry, real plug-ins, real workloads, the kernel. */
@NullMarked
package io.jrt.it;

import org.jspecify.annotations.NullMarked;
