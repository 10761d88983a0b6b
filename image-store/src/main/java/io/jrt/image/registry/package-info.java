/**
 * The client side of registries (OCI distribution-spec): which hosts serve a name, how they are
 * asked, what they are told of the node's secrets, and what happens when they fail. Credentials go
 * to the host they are for and nowhere else, and into no message.
 */
@NullMarked
package io.jrt.image.registry;

import org.jspecify.annotations.NullMarked;
