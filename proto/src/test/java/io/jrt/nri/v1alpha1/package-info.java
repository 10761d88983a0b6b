/** Tests of the wire contract with plugins. */
@NullMarked
package io.jrt.nri.v1alpha1;

import org.jspecify.annotations.NullMarked;
