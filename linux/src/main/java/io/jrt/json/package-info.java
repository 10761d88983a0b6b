/** What all modules that read JSON into records have in common. */
@NullMarked
package io.jrt.json;

import org.jspecify.annotations.NullMarked;
