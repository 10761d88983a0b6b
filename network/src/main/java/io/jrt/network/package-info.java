/** Pod networks: CNI plugins and the built-in bridge. */
@NullMarked
package io.jrt.network;

import org.jspecify.annotations.NullMarked;
