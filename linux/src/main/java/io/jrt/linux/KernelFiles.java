package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@link Files} by system calls. */
final class KernelFiles implements Files {
  private static final byte[] EMPTY = new byte[0];
  private static final int F_SETFD = 2;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int F_OFD_SETLK = 37;
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int F_SETPIPE_SZ = 1031;
  private static final int F_GETPIPE_SZ = 1032;
  private static final int F_ADD_SEALS = 1033;
  private static final int OPENAT2_ATTEMPTS = 128;
  private static final int LIST_BYTES = 48 * 1024;
  private static final int STATX_MASK = 0x7ff | 0x1000 | 0x4000;

  private static long check(long result, SystemCall call, byte[] path) {
    if (result == -1) {
      throw Native.failure(call, path);
    }
    return result;
  }

  private static long check(long result, SystemCall call, Fd fd) {
    if (result == -1) {
      throw Native.failure(call, fd.toString());
    }
    return result;
  }

  // Opening

  @Override
  public Fd openat(Fd dir, byte[] path, int flags, int mode) {
    try (Scratch scratch = Scratch.take()) {
      long result =
          Native.retry(
              SystemCall.OPENAT,
              dir.value(),
              scratch.string("openat", path),
              flags | OpenFlags.O_CLOEXEC,
              mode);
      return Fd.own((int) check(result, SystemCall.OPENAT, path));
    }
  }

  @Override
  public Fd openat2(Fd dir, byte[] path, OpenHow how) {
    try (Scratch scratch = Scratch.take()) {
      long name = scratch.string("openat2", path);
      int struct = scratch.reserve(24);
      scratch.memory.putLong(struct, (how.flags() | OpenFlags.O_CLOEXEC) & 0xffffffffL);
      scratch.memory.putLong(struct + 8, how.mode());
      scratch.memory.putLong(struct + 16, how.resolve());
      long result = -1;
      for (int attempt = 0; attempt < OPENAT2_ATTEMPTS; attempt++) {
        result = Native.retry(SystemCall.OPENAT2, dir.value(), name, scratch.address(struct), 24);
        // A rename or mount elsewhere raced with the resolution of "..".
        if (result != -1 || Native.errno() != Errno.EAGAIN.number()) {
          break;
        }
      }
      return Fd.own((int) check(result, SystemCall.OPENAT2, path));
    }
  }

  @Override
  public Fd dup(Fd fd) {
    return Fd.own((int) fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }

  // Names

  @Override
  public void mkdirat(Fd dir, byte[] path, int mode) {
    check(path3(SystemCall.MKDIRAT, dir, path, mode), SystemCall.MKDIRAT, path);
  }

  @Override
  public boolean mkdirIfAbsent(Fd dir, byte[] path, int mode) {
    long result = path3(SystemCall.MKDIRAT, dir, path, mode);
    if (result == -1 && Native.errno() == Errno.EEXIST.number()) {
      return false;
    }
    check(result, SystemCall.MKDIRAT, path);
    return true;
  }

  @Override
  public void mknodat(Fd dir, byte[] path, int mode, long device) {
    try (Scratch scratch = Scratch.take()) {
      // The kernel packs device numbers in 32 bits here: minor low, major, minor high.
      long major = DeviceNumber.major(device) & 0xffffffffL;
      long minor = DeviceNumber.minor(device) & 0xffffffffL;
      long packed = (minor & 0xff) | (major << 8) | ((minor & ~0xffL) << 12);
      long result =
          Native.retry(
              SystemCall.MKNODAT, dir.value(), scratch.string("mknodat", path), mode, packed);
      check(result, SystemCall.MKNODAT, path);
    }
  }

  @Override
  public void symlinkat(byte[] target, Fd dir, byte[] path) {
    try (Scratch scratch = Scratch.take()) {
      long result =
          Native.retry(
              SystemCall.SYMLINKAT,
              scratch.string("symlinkat", target),
              dir.value(),
              scratch.string("symlinkat", path),
              0);
      check(result, SystemCall.SYMLINKAT, path);
    }
  }

  @Override
  public void linkat(Fd fromDir, byte[] from, Fd toDir, byte[] to, int flags) {
    check(linkatRaw(fromDir, from, toDir, to, flags), SystemCall.LINKAT, to);
  }

  private static long linkatRaw(Fd fromDir, byte[] from, Fd toDir, byte[] to, int flags) {
    try (Scratch scratch = Scratch.take()) {
      return Native.retry(
          SystemCall.LINKAT,
          fromDir.value(),
          scratch.string("linkat", from),
          toDir.value(),
          scratch.string("linkat", to),
          flags,
          0);
    }
  }

  @Override
  public void linkFd(Fd file, Fd toDir, byte[] to) {
    if (linkatRaw(file, EMPTY, toDir, to, At.AT_EMPTY_PATH) != -1) {
      return;
    }
    int errno = Native.errno();
    if (errno != Errno.ENOENT.number() && errno != Errno.EPERM.number()) {
      throw Native.failure(SystemCall.LINKAT, to);
    }
    linkat(Fd.CWD, file.procPath().getBytes(UTF_8), toDir, to, At.AT_SYMLINK_FOLLOW);
  }

  @Override
  public void unlinkat(Fd dir, byte[] path, int flags) {
    check(path3(SystemCall.UNLINKAT, dir, path, flags), SystemCall.UNLINKAT, path);
  }

  @Override
  public boolean unlinkIfPresent(Fd dir, byte[] path, int flags) {
    long result = path3(SystemCall.UNLINKAT, dir, path, flags);
    if (result == -1 && Native.errno() == Errno.ENOENT.number()) {
      return false;
    }
    check(result, SystemCall.UNLINKAT, path);
    return true;
  }

  @Override
  public void renameat2(Fd fromDir, byte[] from, Fd toDir, byte[] to, int flags) {
    try (Scratch scratch = Scratch.take()) {
      long result =
          Native.retry(
              SystemCall.RENAMEAT2,
              fromDir.value(),
              scratch.string("renameat2", from),
              toDir.value(),
              scratch.string("renameat2", to),
              flags,
              0);
      if (result == -1) {
        throw Native.failure(
            SystemCall.RENAMEAT2, Native.printable(from) + " to " + Native.printable(to));
      }
    }
  }

  @Override
  public byte[] readlinkat(Fd dir, byte[] path) {
    try (Scratch scratch = Scratch.take()) {
      int target = scratch.reserve(4096);
      long result =
          Native.retry(
              SystemCall.READLINKAT,
              dir.value(),
              scratch.string("readlinkat", path),
              scratch.address(target),
              4096);
      return scratch.copy(target, (int) check(result, SystemCall.READLINKAT, path));
    }
  }

  private static long path3(SystemCall call, Fd dir, byte[] path, long third) {
    try (Scratch scratch = Scratch.take()) {
      return Native.retry(call, dir.value(), scratch.string(call.label, path), third, 0);
    }
  }

  @Override
  public List<DirectoryEntry> list(Fd dir) {
    long start = Native.retry(SystemCall.LSEEK, dir.value(), 0, Seek.SEEK_SET, 0);
    if (start == -1 && Native.errno() == Errno.EBADF.number()) {
      // Only a path (O_PATH), as the descriptors of detached mounts are.
      try (Fd readable = openat(dir, ".", OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY)) {
        return listReadable(readable);
      }
    }
    check(start, SystemCall.LSEEK, dir);
    return listReadable(dir);
  }

  private static List<DirectoryEntry> listReadable(Fd dir) {
    List<DirectoryEntry> entries = new ArrayList<>();
    try (Scratch scratch = Scratch.take()) {
      int start = scratch.reserve(LIST_BYTES);
      while (true) {
        int length =
            (int)
                check(
                    Native.retry(
                        SystemCall.GETDENTS64, dir.value(), scratch.address(start), LIST_BYTES, 0),
                    SystemCall.GETDENTS64,
                    dir);
        if (length == 0) {
          return entries;
        }
        for (int at = start; at < start + length; ) {
          int recordLength = scratch.memory.getShort(at + 16) & 0xffff;
          entry(scratch, at, entries);
          at += recordLength;
        }
      }
    }
  }

  /** struct linux_dirent64: inode, offset, record length, type, name ended by NUL. */
  private static void entry(Scratch scratch, int at, List<DirectoryEntry> into) {
    int name = at + 19;
    int end = name;
    while (scratch.memory.get(end) != 0) {
      end++;
    }
    byte[] bytes = scratch.copy(name, end - name);
    boolean dots = bytes[0] == '.' && (bytes.length == 1 || (bytes.length == 2 && bytes[1] == '.'));
    if (!dots) {
      into.add(
          new DirectoryEntry(
              FileName.of(bytes),
              scratch.memory.getLong(at),
              FileType.ofDirent(scratch.memory.get(at + 18))));
    }
  }

  @Override
  public void removeTree(Fd dir, byte[] name, boolean crossMounts) {
    new TreeRemover(this, crossMounts).remove(dir, name);
  }

  // What a file is

  @Override
  public Stat fstat(Fd fd) {
    return fstatat(fd, EMPTY, At.AT_EMPTY_PATH);
  }

  @Override
  public Stat fstatat(Fd dir, byte[] path, int flags) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.reserve(256);
      check(statx(scratch, dir, path, flags, at), SystemCall.STATX, path);
      return stat(scratch.memory, at);
    }
  }

  @Override
  public Optional<Stat> statIfPresent(Fd dir, byte[] path, int flags) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.reserve(256);
      long result = statx(scratch, dir, path, flags, at);
      if (result == -1) {
        int errno = Native.errno();
        if (errno == Errno.ENOENT.number() || errno == Errno.ENOTDIR.number()) {
          return Optional.empty();
        }
        throw Native.failure(SystemCall.STATX, path);
      }
      return Optional.of(stat(scratch.memory, at));
    }
  }

  private static long statx(Scratch scratch, Fd dir, byte[] path, int flags, int into) {
    return Native.retry(
        SystemCall.STATX,
        dir.value(),
        scratch.string("statx", path),
        flags,
        STATX_MASK,
        scratch.address(into),
        0);
  }

  private static Stat stat(ByteBuffer m, int at) {
    return new Stat(
        DeviceNumber.of(m.getInt(at + 136), m.getInt(at + 140)),
        m.getLong(at + 32),
        m.getShort(at + 28) & 0xffff,
        m.getInt(at + 16),
        m.getInt(at + 20),
        m.getInt(at + 24),
        DeviceNumber.of(m.getInt(at + 128), m.getInt(at + 132)),
        m.getLong(at + 40),
        m.getLong(at + 48),
        m.getInt(at + 4),
        time(m, at + 64),
        time(m, at + 112),
        time(m, at + 96),
        (m.getInt(at) & 0x5000) == 0 ? 0 : m.getLong(at + 144));
  }

  private static Timespec time(ByteBuffer m, int at) {
    return new Timespec(m.getLong(at), m.getInt(at + 8));
  }

  @Override
  public StatFs statfs(Fd fd) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(120);
      check(
          Native.retry(SystemCall.FSTATFS, fd.value(), scratch.address(at), 0, 0),
          SystemCall.FSTATFS,
          fd);
      ByteBuffer m = scratch.memory;
      return new StatFs(
          m.getLong(at),
          m.getLong(at + 8),
          m.getLong(at + 16),
          m.getLong(at + 24),
          m.getLong(at + 32),
          m.getLong(at + 40),
          m.getLong(at + 48),
          m.getLong(at + 64),
          m.getLong(at + 80));
    }
  }

  @Override
  public void fchmod(Fd fd, int mode) {
    check(Native.retry(SystemCall.FCHMOD, fd.value(), mode, 0, 0), SystemCall.FCHMOD, fd);
  }

  @Override
  public void fchmodat(Fd dir, byte[] path, int mode, int flags) {
    if (flags == 0) {
      check(path3(SystemCall.FCHMODAT, dir, path, mode), SystemCall.FCHMODAT, path);
      return;
    }
    long result;
    try (Scratch scratch = Scratch.take()) {
      result =
          Native.retry(
              SystemCall.FCHMODAT2, dir.value(), scratch.string("fchmodat2", path), mode, flags);
    }
    if (result == -1 && Native.errno() == Errno.ENOSYS.number()) {
      chmodByProc(dir, path, mode, flags);
      return;
    }
    check(result, SystemCall.FCHMODAT2, path);
  }

  /** For Linux before 6.6: fchmodat has no flags, and fchmod refuses O_PATH descriptors. */
  private void chmodByProc(Fd dir, byte[] path, int mode, int flags) {
    int open = OpenFlags.O_PATH;
    if ((flags & At.AT_SYMLINK_NOFOLLOW) != 0) {
      open |= OpenFlags.O_NOFOLLOW;
    }
    boolean itself = path.length == 0;
    Fd file = itself ? dir : openat(dir, path, open, 0);
    try {
      if (fstat(file).isSymlink()) {
        throw new KernelException("fchmodat", Errno.EOPNOTSUPP, Native.printable(path));
      }
      fchmodat(Fd.CWD, file.procPath().getBytes(UTF_8), mode, 0);
    } finally {
      if (!itself) {
        file.close();
      }
    }
  }

  @Override
  public void fchown(Fd fd, int uid, int gid) {
    fchownat(fd, EMPTY, uid, gid, At.AT_EMPTY_PATH);
  }

  @Override
  public void fchownat(Fd dir, byte[] path, int uid, int gid, int flags) {
    try (Scratch scratch = Scratch.take()) {
      long result =
          Native.retry(
              SystemCall.FCHOWNAT,
              dir.value(),
              scratch.string("fchownat", path),
              uid & 0xffffffffL,
              gid & 0xffffffffL,
              flags,
              0);
      check(result, SystemCall.FCHOWNAT, path);
    }
  }

  @Override
  public void utimensat(Fd dir, byte[] path, Timespec accessed, Timespec modified, int flags) {
    try (Scratch scratch = Scratch.take()) {
      int times = scratch.reserve(32);
      scratch.memory.putLong(times, accessed.seconds());
      scratch.memory.putLong(times + 8, accessed.nanos());
      scratch.memory.putLong(times + 16, modified.seconds());
      scratch.memory.putLong(times + 24, modified.nanos());
      long result =
          Native.retry(
              SystemCall.UTIMENSAT,
              dir.value(),
              scratch.string("utimensat", path),
              scratch.address(times),
              path.length == 0 ? flags | At.AT_EMPTY_PATH : flags);
      check(result, SystemCall.UTIMENSAT, path);
    }
  }

  // Extended attributes

  @Override
  public Optional<byte[]> fgetxattr(Fd fd, String name) {
    return Xattrs.get(SystemCall.FGETXATTR, fd.value(), EMPTY, name);
  }

  @Override
  public void fsetxattr(Fd fd, String name, byte[] value) {
    Xattrs.set(SystemCall.FSETXATTR, fd.value(), EMPTY, name, value);
  }

  @Override
  public void fremovexattr(Fd fd, String name) {
    Xattrs.remove(SystemCall.FREMOVEXATTR, fd.value(), EMPTY, name);
  }

  @Override
  public List<String> flistxattr(Fd fd) {
    return Xattrs.list(SystemCall.FLISTXATTR, fd.value(), EMPTY);
  }

  @Override
  public Optional<byte[]> getxattrat(Fd dir, byte[] path, String name) {
    return Xattrs.get(SystemCall.LGETXATTR, -1, Xattrs.below(dir, path), name);
  }

  @Override
  public void setxattrat(Fd dir, byte[] path, String name, byte[] value) {
    Xattrs.set(SystemCall.LSETXATTR, -1, Xattrs.below(dir, path), name, value);
  }

  @Override
  public void removexattrat(Fd dir, byte[] path, String name) {
    Xattrs.remove(SystemCall.LREMOVEXATTR, -1, Xattrs.below(dir, path), name);
  }

  @Override
  public List<String> listxattrat(Fd dir, byte[] path) {
    return Xattrs.list(SystemCall.LLISTXATTR, -1, Xattrs.below(dir, path));
  }

  // Bytes

  @Override
  public int read(Fd fd, ByteBuffer into) {
    return transfer(SystemCall.READ, fd, into, 0, true);
  }

  @Override
  public int pread(Fd fd, ByteBuffer into, long position) {
    return transfer(SystemCall.PREAD64, fd, into, position, true);
  }

  @Override
  public int write(Fd fd, ByteBuffer from) {
    return transfer(SystemCall.WRITE, fd, from, 0, false);
  }

  @Override
  public int pwrite(Fd fd, ByteBuffer from, long position) {
    return transfer(SystemCall.PWRITE64, fd, from, position, false);
  }

  @Override
  public int read(Fd fd, byte[] into, int offset, int length) {
    return read(fd, ByteBuffer.wrap(into, offset, length));
  }

  @Override
  public int write(Fd fd, byte[] from, int offset, int length) {
    return write(fd, ByteBuffer.wrap(from, offset, length));
  }

  private static int transfer(SystemCall call, Fd fd, ByteBuffer buffer, long at, boolean in) {
    int space = buffer.remaining();
    if (space == 0) {
      return 0;
    }
    int done;
    if (buffer.isDirect()) {
      long result = Native.retry(call, fd.value(), Native.address(buffer), space, at);
      done = (int) check(result, call, fd);
      buffer.position(buffer.position() + done);
    } else {
      int length = Math.min(space, Scratch.DATA);
      try (Scratch scratch = Scratch.take()) {
        int data = scratch.reserve(length);
        if (!in) {
          scratch.memory.put(data, buffer, buffer.position(), length);
        }
        long result = Native.retry(call, fd.value(), scratch.address(data), length, at);
        done = (int) check(result, call, fd);
        if (in) {
          buffer.put(buffer.position(), scratch.memory, data, done);
        }
        buffer.position(buffer.position() + done);
      }
    }
    return in && done == 0 ? -1 : done;
  }

  @Override
  public long writev(Fd fd, ByteBuffer... from) {
    try (Scratch scratch = Scratch.take()) {
      int count = Math.min(from.length, 256);
      int vector = scratch.reserve(count * 16);
      int room = 40 * 1024;
      int used = 0;
      for (int i = 0; i < count; i++, used++) {
        ByteBuffer buffer = from[i];
        int length = buffer.remaining();
        long address;
        if (buffer.isDirect()) {
          address = Native.address(buffer);
        } else {
          length = Math.min(length, room);
          if (length < buffer.remaining() && length == 0) {
            break;
          }
          int copy = scratch.reserve(length);
          scratch.memory.put(copy, buffer, buffer.position(), length);
          address = scratch.address(copy);
          room -= Math.min(room, (length + 7) & ~7);
        }
        scratch.memory.putLong(vector + i * 16, address);
        scratch.memory.putLong(vector + i * 16 + 8, length);
        if (length < buffer.remaining()) {
          used++;
          break;
        }
      }
      long result = Native.retry(SystemCall.WRITEV, fd.value(), scratch.address(vector), used, 0);
      long left = check(result, SystemCall.WRITEV, fd);
      for (int i = 0; i < count && left > 0; i++) {
        int step = (int) Math.min(left, from[i].remaining());
        from[i].position(from[i].position() + step);
        left -= step;
      }
      return result;
    }
  }

  @Override
  public void writeFully(Fd fd, ByteBuffer from) {
    while (from.hasRemaining()) {
      write(fd, from);
    }
  }

  @Override
  public void writeFully(Fd fd, byte[] from) {
    writeFully(fd, ByteBuffer.wrap(from));
  }

  @Override
  public byte[] readAll(Fd fd) {
    try (Scratch scratch = Scratch.take()) {
      int data = scratch.reserve(Scratch.DATA);
      int first = readInto(fd, scratch, data);
      if (first == 0) {
        return EMPTY;
      }
      byte[] head = scratch.copy(data, first);
      int next = readInto(fd, scratch, data);
      if (next == 0) {
        return head;
      }
      ByteArrayOutputStream all = new ByteArrayOutputStream(4 * Scratch.DATA);
      all.writeBytes(head);
      while (next > 0) {
        all.writeBytes(scratch.copy(data, next));
        next = readInto(fd, scratch, data);
      }
      return all.toByteArray();
    }
  }

  private static int readInto(Fd fd, Scratch scratch, int data) {
    return (int)
        check(
            Native.retry(SystemCall.READ, fd.value(), scratch.address(data), Scratch.DATA, 0),
            SystemCall.READ,
            fd);
  }

  @Override
  public long lseek(Fd fd, long offset, int whence) {
    return check(
        Native.retry(SystemCall.LSEEK, fd.value(), offset, whence, 0), SystemCall.LSEEK, fd);
  }

  @Override
  public void ftruncate(Fd fd, long length) {
    check(Native.retry(SystemCall.FTRUNCATE, fd.value(), length, 0, 0), SystemCall.FTRUNCATE, fd);
  }

  @Override
  public void fallocate(Fd fd, int mode, long offset, long length) {
    check(
        Native.retry(SystemCall.FALLOCATE, fd.value(), mode, offset, length),
        SystemCall.FALLOCATE,
        fd);
  }

  @Override
  public void fsync(Fd fd) {
    check(Native.retry(SystemCall.FSYNC, fd.value(), 0, 0, 0), SystemCall.FSYNC, fd);
  }

  @Override
  public void fdatasync(Fd fd) {
    check(Native.retry(SystemCall.FDATASYNC, fd.value(), 0, 0, 0), SystemCall.FDATASYNC, fd);
  }

  @Override
  public void syncfs(Fd fd) {
    check(Native.retry(SystemCall.SYNCFS, fd.value(), 0, 0, 0), SystemCall.SYNCFS, fd);
  }

  @Override
  public void syncFileRange(Fd fd, long offset, long length, int flags) {
    check(
        Native.retry(SystemCall.SYNC_FILE_RANGE, fd.value(), offset, length, flags),
        SystemCall.SYNC_FILE_RANGE,
        fd);
  }

  @Override
  public long copyFileRange(Fd from, Fd to, long length) {
    return check(
        Native.retry(SystemCall.COPY_FILE_RANGE, from.value(), 0, to.value(), 0, length, 0),
        SystemCall.COPY_FILE_RANGE,
        from);
  }

  @Override
  public long splice(Fd from, Fd to, long length, int flags) {
    return check(
        Native.retry(SystemCall.SPLICE, from.value(), 0, to.value(), 0, length, flags),
        SystemCall.SPLICE,
        from);
  }

  @Override
  public long tee(Fd from, Fd to, long length, int flags) {
    return check(
        Native.retry(SystemCall.TEE, from.value(), to.value(), length, flags),
        SystemCall.TEE,
        from);
  }

  // Descriptors

  static long fcntl(Fd fd, int command, long argument) {
    return check(
        Native.retry(SystemCall.FCNTL, fd.value(), command, argument, 0), SystemCall.FCNTL, fd);
  }

  @Override
  public int statusFlags(Fd fd) {
    return (int) fcntl(fd, F_GETFL, 0);
  }

  @Override
  public void setStatusFlags(Fd fd, int flags) {
    fcntl(fd, F_SETFL, flags);
  }

  @Override
  public void setCloseOnExec(Fd fd, boolean closeOnExec) {
    fcntl(fd, F_SETFD, closeOnExec ? 1 : 0);
  }

  @Override
  public int pipeSize(Fd pipe) {
    return (int) fcntl(pipe, F_GETPIPE_SZ, 0);
  }

  @Override
  public int setPipeSize(Fd pipe, int bytes) {
    return (int) fcntl(pipe, F_SETPIPE_SZ, bytes);
  }

  @Override
  public boolean tryLock(Fd fd) {
    return ofdLock(fd, 1);
  }

  @Override
  public void unlock(Fd fd) {
    ofdLock(fd, 2);
  }

  private static boolean ofdLock(Fd fd, int type) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(32);
      scratch.memory.putShort(at, (short) type);
      long result = Native.retry(SystemCall.FCNTL, fd.value(), F_OFD_SETLK, scratch.address(at), 0);
      if (result == -1) {
        int errno = Native.errno();
        if (errno == Errno.EAGAIN.number() || errno == Errno.EACCES.number()) {
          return false;
        }
        throw Native.failure(SystemCall.FCNTL, fd.toString());
      }
      return true;
    }
  }

  @Override
  public boolean tryFlock(Fd fd) {
    int exclusiveAtOnce = 2 | 4;
    long result = Native.retry(SystemCall.FLOCK, fd.value(), exclusiveAtOnce, 0, 0);
    if (result == -1 && Native.errno() == Errno.EAGAIN.number()) {
      return false;
    }
    check(result, SystemCall.FLOCK, fd);
    return true;
  }

  @Override
  public Pipe pipe2(int flags) {
    try (Scratch scratch = Scratch.take()) {
      int ends = scratch.reserve(8);
      long result =
          Native.retry(SystemCall.PIPE2, scratch.address(ends), flags | OpenFlags.O_CLOEXEC, 0, 0);
      check(result, SystemCall.PIPE2, EMPTY);
      return new Pipe(Fd.own(scratch.memory.getInt(ends)), Fd.own(scratch.memory.getInt(ends + 4)));
    }
  }

  @Override
  public Fd eventfd(int initial, int flags) {
    long result = Native.retry(SystemCall.EVENTFD2, initial, flags | OpenFlags.O_CLOEXEC, 0, 0);
    return Fd.own((int) check(result, SystemCall.EVENTFD2, EMPTY));
  }

  @Override
  public Fd memfdCreate(String name, boolean executable) {
    byte[] label = name.getBytes(UTF_8);
    int closeOnExecAndSealable = 1 | 2;
    int kind = executable ? 0x10 : 0x8;
    try (Scratch scratch = Scratch.take()) {
      long text = scratch.string("memfd_create", label);
      long result =
          Native.retry(SystemCall.MEMFD_CREATE, text, closeOnExecAndSealable | kind, 0, 0);
      if (result == -1 && Native.errno() == Errno.EINVAL.number()) {
        // Linux before 6.3 does not know the kinds.
        result = Native.retry(SystemCall.MEMFD_CREATE, text, closeOnExecAndSealable, 0, 0);
      }
      return Fd.own((int) check(result, SystemCall.MEMFD_CREATE, label));
    }
  }

  @Override
  public void addSeals(Fd memfd, int seals) {
    fcntl(memfd, F_ADD_SEALS, seals);
  }

  // Project quota

  @Override
  public int projectId(Fd fd) {
    return ProjectQuota.id(fd);
  }

  @Override
  public void setProjectId(Fd fd, int projectId, boolean inherit) {
    ProjectQuota.setId(fd, projectId, inherit);
  }

  @Override
  public void setProjectQuota(Fd anyFile, int projectId, long bytes, long inodes) {
    ProjectQuota.limit(anyFile, projectId, bytes, inodes);
  }

  @Override
  public ProjectUsage projectUsage(Fd anyFile, int projectId) {
    return ProjectQuota.usage(anyFile, projectId);
  }
}
