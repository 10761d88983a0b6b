package io.jrt.linux;

import java.nio.ByteBuffer;

/** Project ids and their quota on ext4 and xfs. */
final class ProjectQuota {
  private static final int FS_IOC_FSGETXATTR = 0x801c581f;
  private static final int FS_IOC_FSSETXATTR = 0x401c5820;
  private static final int FS_XFLAG_PROJINHERIT = 0x200;
  private static final int STRUCT_FSXATTR = 28;
  private static final int PRJQUOTA = 2;
  private static final int Q_GETQUOTA = 0x800007 << 8 | PRJQUOTA;
  private static final int Q_SETQUOTA = 0x800008 << 8 | PRJQUOTA;
  private static final int QIF_LIMITS = 1 | 4;

  /** Limits of space are kept in blocks of this size, usage in bytes. */
  private static final long QUOTA_BLOCK = 1024;

  private ProjectQuota() {}

  static int id(Fd fd) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(STRUCT_FSXATTR);
      ioctl(fd, FS_IOC_FSGETXATTR, scratch.address(at));
      return scratch.memory.getInt(at + 12);
    }
  }

  static void setId(Fd fd, int projectId, boolean inherit) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(STRUCT_FSXATTR);
      ioctl(fd, FS_IOC_FSGETXATTR, scratch.address(at));
      ByteBuffer m = scratch.memory;
      int flags = m.getInt(at);
      m.putInt(at, inherit ? flags | FS_XFLAG_PROJINHERIT : flags & ~FS_XFLAG_PROJINHERIT);
      m.putInt(at + 12, projectId);
      ioctl(fd, FS_IOC_FSSETXATTR, scratch.address(at));
    }
  }

  static void limit(Fd fd, int projectId, long bytes, long inodes) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(72);
      ByteBuffer m = scratch.memory;
      m.putLong(at, (bytes + QUOTA_BLOCK - 1) / QUOTA_BLOCK);
      m.putLong(at + 24, inodes);
      m.putInt(at + 64, QIF_LIMITS);
      quotactl(fd, Q_SETQUOTA, projectId, scratch.address(at));
    }
  }

  static ProjectUsage usage(Fd fd, int projectId) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(72);
      quotactl(fd, Q_GETQUOTA, projectId, scratch.address(at));
      ByteBuffer m = scratch.memory;
      return new ProjectUsage(
          m.getLong(at + 16), m.getLong(at + 40), m.getLong(at) * QUOTA_BLOCK, m.getLong(at + 24));
    }
  }

  private static void ioctl(Fd fd, int request, long argument) {
    long result = Native.retry(SystemCall.IOCTL, fd.value(), request & 0xffffffffL, argument, 0);
    if (result == -1) {
      throw Native.failure(SystemCall.IOCTL, "project id of " + fd);
    }
  }

  private static void quotactl(Fd fd, int command, int projectId, long argument) {
    long result =
        Native.retry(
            SystemCall.QUOTACTL_FD, fd.value(), command & 0xffffffffL, projectId, argument);
    if (result == -1) {
      throw Native.failure(SystemCall.QUOTACTL_FD, "project " + projectId);
    }
  }
}
