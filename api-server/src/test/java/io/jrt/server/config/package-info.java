@NullMarked
package io.jrt.server.config;

import org.jspecify.annotations.NullMarked;
