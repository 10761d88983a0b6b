@NullMarked
package io.jrt.server.cri;

import org.jspecify.annotations.NullMarked;
