package io.jrt.volumes;

/**
 * What this kernel can do for mounts, found by trying it.
 *
 * @param recursiveReadOnly mount_setattr with AT_RECURSIVE works (Linux 5.12)
 * @param idMapped the kernel knows idmapped mounts (Linux 5.12); whether a file system does is told
 *     by {@link Volumes#canIdMap}
 */
public record VolumeFeatures(boolean recursiveReadOnly, boolean idMapped) {}
