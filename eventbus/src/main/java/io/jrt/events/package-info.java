/** What happened: event records, publish and subscribe, replay and the journal on disk. */
@NullMarked
package io.jrt.events;

import org.jspecify.annotations.NullMarked;
