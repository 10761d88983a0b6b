package io.jrt.image.layer;

import java.util.Map;

/**
 * The header of one entry of a tar, PAX and GNU extensions applied.
 *
 * <p>Names are bytes on Linux. They are carried as strings of one character a byte (ISO 8859-1), so
 * that any name goes through unchanged.
 *
 * @param name as in the tar
 * @param linkName of hard and symbolic links
 * @param mode permission bits with set-id and sticky, nothing else
 * @param uid owner
 * @param gid group
 * @param size bytes of content that follow
 * @param mtimeSeconds since the epoch
 * @param mtimeNanos 0–999999999
 * @param major of devices
 * @param minor of devices
 * @param xattrs by name; values are bytes
 */
record TarEntry(
    String name,
    Type type,
    String linkName,
    int mode,
    long uid,
    long gid,
    long size,
    long mtimeSeconds,
    int mtimeNanos,
    long major,
    long minor,
    Map<String, byte[]> xattrs) {

  enum Type {
    FILE,
    HARD_LINK,
    SYMLINK,
    CHAR_DEVICE,
    BLOCK_DEVICE,
    DIRECTORY,
    FIFO
  }
}
