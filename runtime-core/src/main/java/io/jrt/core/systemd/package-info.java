/** systemd's manager, as far as cgroups need it: transient scopes and slices over D-Bus. */
@NullMarked
package io.jrt.core.systemd;

import org.jspecify.annotations.NullMarked;
