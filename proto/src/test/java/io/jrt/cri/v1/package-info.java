/** Tests of the wire contract. */
@NullMarked
package io.jrt.cri.v1;

import org.jspecify.annotations.NullMarked;
