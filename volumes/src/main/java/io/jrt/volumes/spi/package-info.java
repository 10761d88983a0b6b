/** What a volume plug-in implements; found by {@link java.util.ServiceLoader}. */
@NullMarked
package io.jrt.volumes.spi;

import org.jspecify.annotations.NullMarked;
