package io.jrt.volumes;

/**
 * What this kernel can do for mounts, found by trying it once.
 *
 * @param recursiveReadOnly mount_setattr with AT_RECURSIVE works (Linux 5.12)
 * @param idMapped mounts of the root's file system can be idmapped
 * @param idMappedTmpfs tmpfs can be idmapped (Linux 6.3)
 */
public record VolumeFeatures(boolean recursiveReadOnly, boolean idMapped, boolean idMappedTmpfs) {}
