/** The Linux kernel, typed: the only module that calls native code. */
@NullMarked
package io.jrt.linux;

import org.jspecify.annotations.NullMarked;
