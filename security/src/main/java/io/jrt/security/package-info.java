/** What a container may do: seccomp, capabilities, labels, id maps, device rules, image trust. */
@NullMarked
package io.jrt.security;

import org.jspecify.annotations.NullMarked;
