package io.jrt.linux;

/**
 * What statfs(2) says of a file system.
 *
 * @param type its magic number, as {@link #CGROUP2_SUPER_MAGIC}
 * @param blockSize bytes per block, the unit of the three block counts
 * @param flags the mount's ST_* flags
 */
public record StatFs(
    long type,
    long blockSize,
    long blocks,
    long blocksFree,
    long blocksAvailable,
    long inodes,
    long inodesFree,
    long nameLength,
    long flags) {
  public static final long CGROUP_SUPER_MAGIC = 0x27e0ebL;
  public static final long CGROUP2_SUPER_MAGIC = 0x63677270L;
  public static final long EXT4_SUPER_MAGIC = 0xef53L;
  public static final long XFS_SUPER_MAGIC = 0x58465342L;
  public static final long BTRFS_SUPER_MAGIC = 0x9123683eL;
  public static final long OVERLAYFS_SUPER_MAGIC = 0x794c7630L;
  public static final long TMPFS_MAGIC = 0x01021994L;
  public static final long PROC_SUPER_MAGIC = 0x9fa0L;
  public static final long SYSFS_MAGIC = 0x62656572L;
  public static final long NSFS_MAGIC = 0x6e736673L;
  public static final long NFS_SUPER_MAGIC = 0x6969L;
}
