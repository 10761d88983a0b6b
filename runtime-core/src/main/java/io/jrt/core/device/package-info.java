/**
 * Devices of containers: CDI specs, GPUs found on the node, and what they change in a container.
 */
@NullMarked
package io.jrt.core.device;

import org.jspecify.annotations.NullMarked;
