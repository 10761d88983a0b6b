/** Images in files: OCI layouts and docker's archives, as directories or tars. */
@NullMarked
package io.jrt.image.archive;

import org.jspecify.annotations.NullMarked;
