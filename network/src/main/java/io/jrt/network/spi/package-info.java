/** How a network provider is found and made. */
@NullMarked
package io.jrt.network.spi;

import org.jspecify.annotations.NullMarked;
