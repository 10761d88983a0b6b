package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.layer.TreeIndex.Kind;
import io.jrt.linux.At;
import io.jrt.linux.DeviceNumber;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.Stat;
import io.jrt.linux.Timespec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Writes the entries of a layer's tar below a directory, in the form that overlayfs wants:
 * whiteouts become character devices 0:0, opaque directories get an extended attribute.
 *
 * <p>Nothing here follows a path of its own: a parent is a descriptor from {@link DirectoryCache},
 * the last component is one name that is created exclusively. Attributes are set in the order
 * owner, mode, extended attributes, time, since each clears something of those after it.
 */
final class LayerWriter implements AutoCloseable {
  private static final byte[] SELF = new byte[0];
  private static final byte[] YES = {'y'};
  private static final String OVERLAY_OPAQUE = "trusted.overlay.opaque";
  private static final int BLOCK = 4096;
  private static final long MAX_REMEMBERED = 16L << 20;

  /**
   * What only the layers below can complete.
   *
   * @param implicitDirectories made for an entry's sake, without an entry of their own
   * @param deferredLinks hard links to files that are not in this layer
   */
  record Unfinished(Set<String> implicitDirectories, List<DeferredLink> deferredLinks) {}

  /** A hard link whose target is not in this layer. */
  record DeferredLink(String path, String target) {}

  private final Files files;
  private final Fd root;
  private final LayerLimits limits;
  private final Path indexFile;
  private final TreeIndex.Writer index;
  private final DirectoryCache directories;
  private final Set<String> implicit = new LinkedHashSet<>();
  private final List<DeferredLink> deferred = new ArrayList<>();
  private final CRC32C crc = new CRC32C();
  private long remembered;
  private long entries;
  private long inodes = 1;
  private long bytes = BLOCK;
  private boolean opaqueRoot;

  /**
   * @param root an empty directory; stays the caller's
   * @param indexFile where the list of what was written goes
   */
  LayerWriter(Files files, Fd root, Path indexFile, LayerLimits limits) throws IOException {
    this.files = files;
    this.root = root;
    this.limits = limits;
    this.indexFile = indexFile;
    this.index = new TreeIndex.Writer(indexFile);
    this.directories = new DirectoryCache(files, root, this::madeImplicitly);
    implicit.add("");
  }

  /** Writes every entry, then the times of the directories. */
  void apply(TarReader tar) throws IOException {
    for (Optional<TarEntry> next = tar.next(); next.isPresent(); next = tar.next()) {
      limits.checkEntries(++entries);
      TarEntry entry = next.get();
      try {
        apply(entry, tar);
      } catch (KernelException e) {
        throw translated(entry, e);
      }
    }
    directories.clear();
    index.flush();
    TreeIndex.read(indexFile, this::directoryTime);
  }

  Unfinished unfinished() {
    return new Unfinished(implicit, deferred);
  }

  /** Bytes that the layer takes on the disk, estimated by whole blocks. */
  long bytes() {
    return bytes;
  }

  long inodes() {
    return inodes;
  }

  /** Whether the layer hides everything below it. */
  boolean opaqueRoot() {
    return opaqueRoot;
  }

  private void apply(TarEntry entry, TarReader tar) throws IOException {
    String path = LayerPath.clean(entry.name());
    String name = LayerPath.last(path);
    if (path.isEmpty()) {
      if (entry.type() != TarEntry.Type.DIRECTORY) {
        throw invalid(entry, "has no name");
      }
      attributes(root, entry);
      implicit.remove("");
      record(Kind.DIRECTORY, path, entry, 0);
      return;
    }
    if (LayerPath.parent(path).contains(LayerPath.WHITEOUT) && climbsIntoWhiteout(path)) {
      throw invalid(entry, "lies below a whiteout");
    }
    if (name.startsWith(LayerPath.WHITEOUT)) {
      whiteout(entry, path, name);
      return;
    }
    switch (entry.type()) {
      case DIRECTORY -> directory(entry, path, name);
      case FILE -> file(entry, tar, path, name);
      case SYMLINK -> symlink(entry, path, name);
      case HARD_LINK -> hardLink(entry, path, name);
      case CHAR_DEVICE, BLOCK_DEVICE, FIFO -> node(entry, path, name);
    }
  }

  private void directory(TarEntry entry, String path, String name) throws IOException {
    Fd parent = directories.directory(LayerPath.parent(path));
    byte[] raw = LayerPath.bytes(name);
    boolean opaque = false;
    if (!files.mkdirIfAbsent(parent, raw, 0700)) {
      Stat there = files.fstatat(parent, raw, At.AT_SYMLINK_NOFOLLOW);
      if (!there.isDirectory()) {
        // A directory that replaces what lies below shows nothing of that.
        opaque = isWhiteout(there);
        remove(parent, raw, path);
        files.mkdirat(parent, raw, 0700);
        inodes++;
        bytes += BLOCK;
      }
    } else {
      inodes++;
      bytes += BLOCK;
    }
    Fd fd =
        files.openat2(
            parent, raw, OpenHow.beneathWithoutLinks(OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY));
    directories.put(path, fd);
    attributes(fd, entry);
    if (opaque) {
      files.fsetxattr(fd, OVERLAY_OPAQUE, YES);
    }
    implicit.remove(path);
    record(Kind.DIRECTORY, path, entry, 0);
  }

  private void file(TarEntry entry, TarReader tar, String path, String name) throws IOException {
    Fd parent = directories.directory(LayerPath.parent(path));
    byte[] raw = LayerPath.bytes(name);
    int flags = OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_NOFOLLOW;
    Fd created;
    try {
      created = files.openat(parent, raw, flags, 0600);
    } catch (KernelException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
      remove(parent, raw, path);
      created = files.openat(directories.directory(LayerPath.parent(path)), raw, flags, 0600);
    }
    crc.reset();
    try (Fd fd = created) {
      for (ByteBuffer piece = tar.content(); piece != null; piece = tar.content()) {
        crc.update(piece.duplicate());
        files.writeFully(fd, piece);
      }
      attributes(fd, entry);
      files.utimensat(fd, SELF, Timespec.OMIT, mtime(entry), 0);
    }
    inodes++;
    bytes += (entry.size() + BLOCK - 1) & -BLOCK;
    record(Kind.FILE, path, entry, (int) crc.getValue());
  }

  private void symlink(TarEntry entry, String path, String name) throws IOException {
    byte[] target = LayerPath.bytes(entry.linkName());
    if (target.length == 0 || target.length >= 4096 || entry.linkName().indexOf('\0') >= 0) {
      throw invalid(entry, "is a symbolic link to nothing");
    }
    byte[] raw = LayerPath.bytes(name);
    create(path, raw, parent -> files.symlinkat(target, parent, raw));
    Fd parent = directories.directory(LayerPath.parent(path));
    files.fchownat(parent, raw, (int) entry.uid(), (int) entry.gid(), At.AT_SYMLINK_NOFOLLOW);
    files.utimensat(parent, raw, Timespec.OMIT, mtime(entry), At.AT_SYMLINK_NOFOLLOW);
    crc.reset();
    crc.update(target, 0, target.length);
    inodes++;
    record(Kind.SYMLINK, path, entry, (int) crc.getValue());
  }

  private void hardLink(TarEntry entry, String path, String name) throws IOException {
    String target = LayerPath.clean(entry.linkName());
    if (target.isEmpty() || climbsIntoWhiteout(target)) {
      throw invalid(entry, "is a hard link to nothing");
    }
    if (target.equals(path)) {
      return;
    }
    byte[] raw = LayerPath.bytes(name);
    byte[] targetRaw = LayerPath.bytes(LayerPath.last(target));
    directories.directory(LayerPath.parent(path));
    Fd targetParent = directories.existing(LayerPath.parent(target));
    Optional<Stat> there =
        targetParent == null
            ? Optional.empty()
            : files.statIfPresent(targetParent, targetRaw, At.AT_SYMLINK_NOFOLLOW);
    if (targetParent == null || there.isEmpty()) {
      remember(path.length() + target.length());
      deferred.add(new DeferredLink(path, target));
      return;
    }
    if (there.get().isDirectory() || isWhiteout(there.get())) {
      throw invalid(entry, "is a hard link to what is no file");
    }
    // Both parents may not fit the cache at once for ever: the target's is opened on its own.
    try (Fd from = files.dup(targetParent)) {
      create(path, raw, parent -> files.linkat(from, targetRaw, parent, raw, 0));
    }
    record(Kind.HARD_LINK, path, entry, 0);
  }

  private void node(TarEntry entry, String path, String name) throws IOException {
    int type =
        switch (entry.type()) {
          case CHAR_DEVICE -> FileMode.S_IFCHR;
          case BLOCK_DEVICE -> FileMode.S_IFBLK;
          case FIFO, FILE, DIRECTORY, SYMLINK, HARD_LINK -> FileMode.S_IFIFO;
        };
    long device = 0;
    if (entry.type() != TarEntry.Type.FIFO) {
      if (entry.major() < 0
          || entry.major() > 0xfff
          || entry.minor() < 0
          || entry.minor() > 0xfffff) {
        throw invalid(entry, "is a device with numbers that the kernel does not have");
      }
      device = DeviceNumber.of((int) entry.major(), (int) entry.minor());
    }
    byte[] raw = LayerPath.bytes(name);
    long number = device;
    create(path, raw, parent -> files.mknodat(parent, raw, type | 0600, number));
    Fd parent = directories.directory(LayerPath.parent(path));
    files.fchownat(parent, raw, (int) entry.uid(), (int) entry.gid(), At.AT_SYMLINK_NOFOLLOW);
    files.fchmodat(parent, raw, entry.mode(), At.AT_SYMLINK_NOFOLLOW);
    files.utimensat(parent, raw, Timespec.OMIT, mtime(entry), At.AT_SYMLINK_NOFOLLOW);
    inodes++;
    record(Kind.OTHER, path, entry, 0);
  }

  private void whiteout(TarEntry entry, String path, String name) throws IOException {
    String parentPath = LayerPath.parent(path);
    if (name.equals(LayerPath.OPAQUE)) {
      files.fsetxattr(directories.directory(parentPath), OVERLAY_OPAQUE, YES);
      opaqueRoot |= parentPath.isEmpty();
      return;
    }
    if (name.startsWith(LayerPath.WHITEOUT + LayerPath.WHITEOUT)) {
      // Left over by AUFS: .wh..wh.plnk, .wh..wh.aufs.
      return;
    }
    String hidden = name.substring(LayerPath.WHITEOUT.length());
    if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
      throw invalid(entry, "is a whiteout of nothing");
    }
    byte[] raw = LayerPath.bytes(hidden);
    Fd parent = directories.directory(parentPath);
    Optional<Stat> there = files.statIfPresent(parent, raw, At.AT_SYMLINK_NOFOLLOW);
    if (there.isPresent()) {
      // It hides what is below this layer only: what this layer has there stays.
      if (there.get().isDirectory()) {
        files.fsetxattr(
            directories.directory(LayerPath.child(parentPath, hidden)), OVERLAY_OPAQUE, YES);
      }
      return;
    }
    files.mknodat(parent, raw, FileMode.S_IFCHR, 0);
    inodes++;
    record(Kind.OTHER, LayerPath.child(parentPath, hidden), entry, 0);
  }

  /** Makes a name, after taking away what has it. */
  private void create(String path, byte[] raw, java.util.function.Consumer<Fd> call)
      throws IOException {
    Fd parent = directories.directory(LayerPath.parent(path));
    try {
      call.accept(parent);
    } catch (KernelException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
      remove(parent, raw, path);
      call.accept(directories.directory(LayerPath.parent(path)));
    }
  }

  private void remove(Fd parent, byte[] raw, String path) throws IOException {
    files.removeTree(parent, raw, false);
    directories.clear();
    index.add(new TreeIndex.Node(Kind.REMOVED, path, 0, 0, 0, 0));
  }

  private void attributes(Fd fd, TarEntry entry) {
    files.fchown(fd, (int) entry.uid(), (int) entry.gid());
    files.fchmod(fd, entry.mode());
    for (Map.Entry<String, byte[]> xattr : entry.xattrs().entrySet()) {
      if (!isKept(xattr.getKey())) {
        continue;
      }
      try {
        files.fsetxattr(fd, xattr.getKey(), xattr.getValue());
      } catch (KernelException e) {
        // A filesystem without them loses user attributes; capabilities must not vanish silently.
        if (!e.is(Errno.EOPNOTSUPP) || xattr.getKey().startsWith("security.")) {
          throw e;
        }
      }
    }
  }

  /**
   * File capabilities, ACLs and user attributes are the image's; labels of security modules are the
   * node's, and overlayfs' own attributes would let an image redirect lookups.
   */
  private static boolean isKept(String name) {
    return name.equals("security.capability")
        || name.equals("system.posix_acl_access")
        || name.equals("system.posix_acl_default")
        || (name.startsWith("user.") && !name.startsWith("user.overlay."));
  }

  private void directoryTime(TreeIndex.Node node) {
    if (node.kind() != Kind.DIRECTORY) {
      return;
    }
    Timespec time = new Timespec(node.mtimeSeconds(), node.mtimeNanos());
    try (Fd fd =
        node.path().isEmpty()
            ? files.dup(root)
            : files.openat2(
                root,
                LayerPath.bytes(node.path()),
                OpenHow.inRoot(OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY))) {
      files.utimensat(fd, SELF, Timespec.OMIT, time, 0);
    } catch (KernelException e) {
      // A later entry put something else there.
      if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
        throw e;
      }
    }
  }

  private void record(Kind kind, String path, TarEntry entry, int check) throws IOException {
    index.add(
        new TreeIndex.Node(
            kind, path, entry.size(), check, entry.mtimeSeconds(), entry.mtimeNanos()));
  }

  private void madeImplicitly(String path) {
    limits.checkEntries(++entries);
    remember(path.length());
    implicit.add(path);
    inodes++;
    bytes += BLOCK;
  }

  private void remember(int length) {
    remembered += 64 + length;
    if (remembered > MAX_REMEMBERED) {
      throw new JrtException(
          ErrorKind.INVALID,
          "unpack layer",
          "a layer has too many directories or links that only other layers explain");
    }
  }

  private static boolean climbsIntoWhiteout(String path) {
    for (String part : path.split("/")) {
      if (part.startsWith(LayerPath.WHITEOUT)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isWhiteout(Stat stat) {
    return (stat.mode() & FileMode.S_IFMT) == FileMode.S_IFCHR && stat.rdev() == 0;
  }

  private static Timespec mtime(TarEntry entry) {
    return new Timespec(entry.mtimeSeconds(), entry.mtimeNanos());
  }

  private static JrtException invalid(TarEntry entry, String why) {
    return new JrtException(
        ErrorKind.INVALID,
        "unpack layer",
        "the entry '" + LayerPath.shown(entry.name()) + "' of a layer " + why);
  }

  private static RuntimeException translated(TarEntry entry, KernelException e) {
    String what = "the entry '" + LayerPath.shown(entry.name()) + "' of a layer ";
    if (e.is(Errno.ENOSPC, Errno.EDQUOT)) {
      return new JrtException(
          ErrorKind.NO_SPACE, "unpack layer", what + "does not fit on the disk", e);
    }
    boolean image =
        e.is(
            Errno.ENAMETOOLONG,
            Errno.ELOOP,
            Errno.ENOTDIR,
            Errno.EISDIR,
            Errno.EINVAL,
            Errno.EXDEV,
            Errno.EMLINK,
            Errno.ERANGE,
            Errno.E2BIG,
            Errno.ENOENT,
            Errno.EEXIST);
    return new JrtException(
        image ? ErrorKind.INVALID : ErrorKind.INTERNAL,
        "unpack layer",
        what + "cannot be written: " + e.getMessage(),
        e);
  }

  @Override
  public void close() throws IOException {
    directories.close();
    index.close();
  }
}
