/**
 * What containers and commands print and read: from their pipes or terminal to the CRI log and to
 * attached clients, and back to their stdin.
 */
@NullMarked
package io.jrt.core.io;

import org.jspecify.annotations.NullMarked;
