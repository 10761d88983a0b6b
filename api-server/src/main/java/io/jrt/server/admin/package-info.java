/** The admin API: one class a call. */
@NullMarked
package io.jrt.server.admin;

import org.jspecify.annotations.NullMarked;
