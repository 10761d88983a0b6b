@NullMarked
package io.jrt.server.admin;

import org.jspecify.annotations.NullMarked;
