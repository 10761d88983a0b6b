/** What Maven cannot say about the module graph. */
@NullMarked
package io.jrt.server.build;

import org.jspecify.annotations.NullMarked;
