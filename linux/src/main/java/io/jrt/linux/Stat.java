package io.jrt.linux;

/**
 * What statx(2) says of a file.
 *
 * @param device major and minor of the file system, as {@link DeviceNumber} packs them
 * @param mode type and permission bits ({@link FileMode})
 * @param rdev of a device node: its own number, packed
 * @param size in bytes
 * @param blocks allocated, in units of 512 bytes
 * @param accessed seconds and nanoseconds since the epoch
 * @param mountId the mount it was reached through (unique within a boot where the kernel has unique
 *     ids, 6.8, else reusable); 0 where not told
 */
public record Stat(
    long device,
    long inode,
    int mode,
    int links,
    int uid,
    int gid,
    long rdev,
    long size,
    long blocks,
    int blockSize,
    Timespec accessed,
    Timespec modified,
    Timespec changed,
    long mountId) {

  public FileType type() {
    return FileType.ofMode(mode);
  }

  /** The twelve permission bits. */
  public int permissions() {
    return mode & 07777;
  }

  public boolean isDirectory() {
    return (mode & FileMode.S_IFMT) == FileMode.S_IFDIR;
  }

  public boolean isRegular() {
    return (mode & FileMode.S_IFMT) == FileMode.S_IFREG;
  }

  public boolean isSymlink() {
    return (mode & FileMode.S_IFMT) == FileMode.S_IFLNK;
  }

  /** Whether both are names or descriptors of one and the same file. */
  public boolean sameFile(Stat other) {
    return device == other.device && inode == other.inode;
  }
}
