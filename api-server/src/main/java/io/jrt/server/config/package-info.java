/**
 * The configuration: records with their defaults, the reader of the file, and its text with
 * comments.
 */
@NullMarked
package io.jrt.server.config;

import org.jspecify.annotations.NullMarked;
