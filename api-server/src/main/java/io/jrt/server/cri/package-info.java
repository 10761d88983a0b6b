/**
 * CRI v1: one class a call, and the translation between CRI's messages and the runtime's records.
 */
@NullMarked
package io.jrt.server.cri;

import org.jspecify.annotations.NullMarked;
