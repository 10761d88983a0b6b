/** Every mount that is not the root file system. */
@NullMarked
package io.jrt.volumes;

import org.jspecify.annotations.NullMarked;
