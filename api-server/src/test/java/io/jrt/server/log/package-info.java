@NullMarked
package io.jrt.server.log;

import org.jspecify.annotations.NullMarked;
