/** What a container is to be: the request and the image's claims merged into decided values. */
@NullMarked
package io.jrt.core.spec;

import org.jspecify.annotations.NullMarked;
