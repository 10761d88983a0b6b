/**
 * The built-in network: a bridge, made by netlink, with host ports and masquerading by nf_tables.
 */
@NullMarked
package io.jrt.network.bridge;

import org.jspecify.annotations.NullMarked;
