/** What the tests of wire contracts have in common. */
@NullMarked
package io.jrt.wire;

import org.jspecify.annotations.NullMarked;
