@NullMarked
package io.jrt.server.metrics;

import org.jspecify.annotations.NullMarked;
