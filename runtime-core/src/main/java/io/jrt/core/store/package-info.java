/** What is known of pods and containers: durable records and the index in memory. */
@NullMarked
package io.jrt.core.store;

import org.jspecify.annotations.NullMarked;
