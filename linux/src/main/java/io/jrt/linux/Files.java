package io.jrt.linux;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * System calls on files, with the kernel's own names. Paths are bytes without a trailing NUL,
 * relative to a directory descriptor; the {@code String} forms encode as UTF-8. Every failure is a
 * {@link KernelException}; EINTR is retried where that is right.
 */
public interface Files {

  // Opening ----------------------------------------------------------------------------------

  /** Opens {@code path} below {@code dir}; O_CLOEXEC is added. */
  Fd openat(Fd dir, byte[] path, int flags, int mode);

  default Fd openat(Fd dir, String path, int flags, int mode) {
    return openat(dir, utf8(path), flags, mode);
  }

  default Fd openat(Fd dir, String path, int flags) {
    return openat(dir, utf8(path), flags, 0);
  }

  default Fd open(Path path, int flags) {
    return openat(Fd.CWD, utf8(path.toString()), flags, 0);
  }

  default Fd open(Path path, int flags, int mode) {
    return openat(Fd.CWD, utf8(path.toString()), flags, mode);
  }

  /** Opens a directory to list it and to resolve names below it. */
  default Fd openDirectory(Path path) {
    return open(path, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
  }

  /** Opens under the limits of {@code how}; EAGAIN of a racing rename is retried. */
  Fd openat2(Fd dir, byte[] path, OpenHow how);

  default Fd openat2(Fd dir, String path, OpenHow how) {
    return openat2(dir, utf8(path), how);
  }

  /** A second descriptor of the same open file (F_DUPFD_CLOEXEC). */
  Fd dup(Fd fd);

  // Names ------------------------------------------------------------------------------------

  void mkdirat(Fd dir, byte[] path, int mode);

  default void mkdirat(Fd dir, String path, int mode) {
    mkdirat(dir, utf8(path), mode);
  }

  /** Like mkdirat, but answers false when the name exists already, whatever it is. */
  boolean mkdirIfAbsent(Fd dir, byte[] path, int mode);

  default boolean mkdirIfAbsent(Fd dir, String path, int mode) {
    return mkdirIfAbsent(dir, utf8(path), mode);
  }

  /**
   * @param mode type and permission bits
   * @param device of a device node, packed as by {@link DeviceNumber}, else 0
   */
  void mknodat(Fd dir, byte[] path, int mode, long device);

  default void mknodat(Fd dir, String path, int mode, long device) {
    mknodat(dir, utf8(path), mode, device);
  }

  void symlinkat(byte[] target, Fd dir, byte[] path);

  default void symlinkat(String target, Fd dir, String path) {
    symlinkat(utf8(target), dir, utf8(path));
  }

  /** Hard link; with AT_EMPTY_PATH and an empty {@code from}, of {@code fromDir} itself. */
  void linkat(Fd fromDir, byte[] from, Fd toDir, byte[] to, int flags);

  default void linkat(Fd fromDir, String from, Fd toDir, String to, int flags) {
    linkat(fromDir, utf8(from), toDir, utf8(to), flags);
  }

  /**
   * Gives an open file (O_TMPFILE) a name. Goes through /proc when AT_EMPTY_PATH is refused, which
   * needs CAP_DAC_READ_SEARCH.
   */
  void linkFd(Fd file, Fd toDir, byte[] to);

  /**
   * @param flags AT_REMOVEDIR for a directory, else 0
   */
  void unlinkat(Fd dir, byte[] path, int flags);

  default void unlinkat(Fd dir, String path, int flags) {
    unlinkat(dir, utf8(path), flags);
  }

  /** Like unlinkat, but answers false when there is no such name. */
  boolean unlinkIfPresent(Fd dir, byte[] path, int flags);

  default boolean unlinkIfPresent(Fd dir, String path, int flags) {
    return unlinkIfPresent(dir, utf8(path), flags);
  }

  void renameat2(Fd fromDir, byte[] from, Fd toDir, byte[] to, int flags);

  default void renameat2(Fd fromDir, String from, Fd toDir, String to, int flags) {
    renameat2(fromDir, utf8(from), toDir, utf8(to), flags);
  }

  /** The link's content, whole; an empty {@code path} means the O_PATH descriptor itself. */
  byte[] readlinkat(Fd dir, byte[] path);

  default String readlinkat(Fd dir, String path) {
    return new String(readlinkat(dir, utf8(path)), StandardCharsets.UTF_8);
  }

  /** All names but {@code .} and {@code ..}, in the order of the file system. */
  List<DirectoryEntry> list(Fd dir);

  /**
   * Removes {@code name} below {@code dir} with everything in it. Never follows a symbolic link;
   * stays on the file system of {@code name} and fails with EXDEV at a mount point, unless {@code
   * crossMounts}. A name that does not exist is fine, as is one that vanishes meanwhile.
   */
  void removeTree(Fd dir, byte[] name, boolean crossMounts);

  default void removeTree(Fd dir, String name) {
    removeTree(dir, utf8(name), false);
  }

  // What a file is ---------------------------------------------------------------------------

  Stat fstat(Fd fd);

  /**
   * @param flags AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH
   */
  Stat fstatat(Fd dir, byte[] path, int flags);

  default Stat fstatat(Fd dir, String path, int flags) {
    return fstatat(dir, utf8(path), flags);
  }

  /** Like fstatat, but empty when there is no such name (ENOENT, ENOTDIR). */
  Optional<Stat> statIfPresent(Fd dir, byte[] path, int flags);

  default Optional<Stat> statIfPresent(Fd dir, String path, int flags) {
    return statIfPresent(dir, utf8(path), flags);
  }

  StatFs statfs(Fd fd);

  void fchmod(Fd fd, int mode);

  /** Follows a symbolic link, unless AT_SYMLINK_NOFOLLOW, which needs Linux 6.6 or /proc. */
  void fchmodat(Fd dir, byte[] path, int mode, int flags);

  void fchown(Fd fd, int uid, int gid);

  /** An id of -1 stays as it is. */
  void fchownat(Fd dir, byte[] path, int uid, int gid, int flags);

  /** With an empty {@code path}, the file of the descriptor itself. */
  void utimensat(Fd dir, byte[] path, Timespec accessed, Timespec modified, int flags);

  // Extended attributes ----------------------------------------------------------------------

  /** The attribute's value, or empty when it has none of that name. */
  Optional<byte[]> fgetxattr(Fd fd, String name);

  void fsetxattr(Fd fd, String name, byte[] value);

  /** A name that is not there is fine. */
  void fremovexattr(Fd fd, String name);

  List<String> flistxattr(Fd fd);

  /** Of {@code path} below {@code dir}, a final symbolic link not followed. */
  Optional<byte[]> getxattrat(Fd dir, byte[] path, String name);

  void setxattrat(Fd dir, byte[] path, String name, byte[] value);

  void removexattrat(Fd dir, byte[] path, String name);

  List<String> listxattrat(Fd dir, byte[] path);

  // Bytes ------------------------------------------------------------------------------------

  /** Reads into the remaining space; -1 at the end, 0 only when there was no space. */
  int read(Fd fd, ByteBuffer into);

  int read(Fd fd, byte[] into, int offset, int length);

  int pread(Fd fd, ByteBuffer into, long position);

  /** Writes some of the remaining bytes and says how many. */
  int write(Fd fd, ByteBuffer from);

  int write(Fd fd, byte[] from, int offset, int length);

  int pwrite(Fd fd, ByteBuffer from, long position);

  /** Writes some of the buffers' remaining bytes in one call; advances their positions. */
  long writev(Fd fd, ByteBuffer... from);

  /** Writes all of it, by as many calls as it takes. */
  void writeFully(Fd fd, ByteBuffer from);

  void writeFully(Fd fd, byte[] from);

  /** All bytes to the end of the file. */
  byte[] readAll(Fd fd);

  /** The whole content of a small file, as those of /proc and /sys. */
  default byte[] readFile(Fd dir, String path) {
    try (Fd file = openat(dir, path, OpenFlags.O_RDONLY)) {
      return readAll(file);
    }
  }

  default String readString(Fd dir, String path) {
    return new String(readFile(dir, path), StandardCharsets.UTF_8);
  }

  /** Writes a value to a file of /proc, /sys or a cgroup: one open, one write call. */
  default void writeValue(Fd dir, String path, String value) {
    try (Fd file = openat(dir, path, OpenFlags.O_WRONLY)) {
      writeFully(file, utf8(value));
    }
  }

  long lseek(Fd fd, long offset, int whence);

  void ftruncate(Fd fd, long length);

  /**
   * @param mode 0 to allocate, or FALLOC_FL_* bits
   */
  void fallocate(Fd fd, int mode, long offset, long length);

  void fsync(Fd fd);

  void fdatasync(Fd fd);

  /** Writes back the whole file system the descriptor is on. */
  void syncfs(Fd fd);

  /**
   * @param flags SYNC_FILE_RANGE_* bits: 1 wait before, 2 start writing, 4 wait after
   */
  void syncFileRange(Fd fd, long offset, long length, int flags);

  /** Copies from the present position of one file to that of the other; 0 at the end. */
  long copyFileRange(Fd from, Fd to, long length);

  /** Moves bytes between a pipe and something else without copying; see {@link Splice}. */
  long splice(Fd from, Fd to, long length, int flags);

  /** Duplicates bytes from one pipe into another without consuming them. */
  long tee(Fd from, Fd to, long length, int flags);

  // Descriptors ------------------------------------------------------------------------------

  /** The file status flags (F_GETFL). */
  int statusFlags(Fd fd);

  /** Sets O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME; belongs to the open file description. */
  void setStatusFlags(Fd fd, int flags);

  void setCloseOnExec(Fd fd, boolean closeOnExec);

  int pipeSize(Fd pipe);

  /** Asks for a pipe buffer of so many bytes and says what it became. */
  int setPipeSize(Fd pipe, int bytes);

  /**
   * Takes an exclusive lock of the open file description (OFD lock) on the whole file, at once.
   *
   * @return false when another description holds it
   */
  boolean tryLock(Fd fd);

  void unlock(Fd fd);

  /** Takes an exclusive flock(2) lock at once; false when it is held elsewhere. */
  boolean tryFlock(Fd fd);

  /** A pipe: read end, write end. */
  Pipe pipe2(int flags);

  Fd eventfd(int initial, int flags);

  /** An anonymous file that can be sealed; not executable where the kernel can say so. */
  Fd memfdCreate(String name, boolean executable);

  /** Adds {@code F_SEAL_*} bits. */
  void addSeals(Fd memfd, int seals);

  /** A memfd with that content that nobody can change any more. */
  default Fd sealedMemfd(String name, ByteBuffer content) {
    Fd fd = memfdCreate(name, false);
    try {
      writeFully(fd, content);
      lseek(fd, 0, Seek.SEEK_SET);
      addSeals(fd, Seal.ALL);
      return fd;
    } catch (Throwable e) {
      fd.close();
      throw e;
    }
  }

  // Project quota (ext4, xfs) ----------------------------------------------------------------

  /** The project id of a file or directory (FS_IOC_FSGETXATTR). */
  int projectId(Fd fd);

  /** Sets it; {@code inherit} makes new files below a directory get it too. */
  void setProjectId(Fd fd, int projectId, boolean inherit);

  /** Limits a project on the file system the descriptor is on; 0 means unlimited. */
  void setProjectQuota(Fd anyFile, int projectId, long bytes, long inodes);

  /** What a project uses, without walking its files. */
  ProjectUsage projectUsage(Fd anyFile, int projectId);

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
