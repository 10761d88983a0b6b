package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.MountAttributes;
import io.jrt.linux.MountEntry;
import io.jrt.linux.MountFlags;
import io.jrt.linux.OpenFlags;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Makes one detached mount of one request. */
final class MountPreparer {
  private static final String STEP = "prepare mount";
  private static final long RESTRICTED = MountFlags.MOUNT_ATTR_NOSUID | MountFlags.MOUNT_ATTR_NODEV;

  private final Kernel kernel;
  private final Files files;
  private final ImageMounts images;
  private final LocalVolumes named;
  private final Relabeler relabeler;

  MountPreparer(Kernel kernel, ImageMounts images, LocalVolumes named) {
    this.kernel = kernel;
    this.files = kernel.files();
    this.images = images;
    this.named = named;
    this.relabeler = new Relabeler(files);
  }

  /** What contradicts itself is refused before anything is touched. */
  static void check(MountRequest request, MountContext context) {
    if (request.recursiveReadOnly() && !request.readOnly()) {
      throw invalid(
          "RROUnsupported: recursive read-only mount %s is not read-only"
              .formatted(request.destination()));
    }
    if (request.recursiveReadOnly() && request.propagation() != Propagation.PRIVATE) {
      throw invalid(
          "RROUnsupported: recursive read-only mount %s has propagation %s, not PRIVATE"
              .formatted(request.destination(), request.propagation()));
    }
    boolean fromNode =
        switch (request.source()) {
          case MountSource.HostPath h -> true;
          case MountSource.Named n -> true;
          case MountSource.Image i -> false;
          case MountSource.Tmpfs t -> false;
        };
    if (!fromNode && request.propagation() != Propagation.PRIVATE) {
      throw invalid(
          "mount %s: propagation %s needs a path of the node"
              .formatted(request.destination(), request.propagation()));
    }
    if (request.idMapped() && context.userNamespace().isEmpty()) {
      throw invalid(
          "mount %s has id maps, but the pod has no user namespace"
              .formatted(request.destination()));
    }
    OptionBits.parse(request.options(), request.destination());
  }

  PreparedMount prepare(MountRequest request, MountContext context, MountTable table) {
    return switch (request.source()) {
      case MountSource.HostPath(Path path, boolean create) ->
          bind(request, context, table, path, create, path.toString());
      case MountSource.Named(String name) ->
          bind(request, context, table, named.use(name, context.owner()), false, "volume " + name);
      case MountSource.Image image -> image(request, context, image);
      case MountSource.Tmpfs(long size, int mode) -> tmpfs(request, context, size, mode);
    };
  }

  private PreparedMount bind(
      MountRequest request,
      MountContext context,
      MountTable table,
      Path path,
      boolean create,
      String description) {
    if (!path.isAbsolute()) {
      throw invalid("mount source \"%s\" is no absolute path".formatted(path));
    }
    try (Fd source = open(path, create)) {
      boolean directory = files.fstat(source).isDirectory();
      checkPropagation(request.propagation(), source, path, table);
      if (request.relabel() && !context.mountLabel().isEmpty()) {
        String realPath = files.readlinkat(Fd.CWD, source.procPath());
        relabeler.relabel(source, realPath, context.mountLabel());
      }
      Fd mount = kernel.mounts().bindClone(source, true);
      try {
        attributes(mount, request, context, description, 0);
      } catch (Throwable e) {
        mount.close();
        throw e;
      }
      return new PreparedMount(
          mount, request.destination(), directory, request.propagation(), description);
    }
  }

  private PreparedMount image(MountRequest request, MountContext context, MountSource.Image image) {
    Fd mount =
        images.mount(
            image,
            request.idMapped() ? context.userNamespace() : Optional.empty(),
            context.mountLabel());
    try {
      boolean directory = files.fstat(mount).isDirectory();
      OptionBits bits = OptionBits.parse(request.options(), request.destination());
      kernel
          .mounts()
          .setAttributes(
              mount,
              MountAttributes.set(bits.set() | MountFlags.MOUNT_ATTR_RDONLY | RESTRICTED)
                  .withClear(bits.clear())
                  .with(io.jrt.linux.Propagation.PRIVATE),
              true);
      return new PreparedMount(
          mount,
          request.destination(),
          directory,
          Propagation.PRIVATE,
          "image " + image.reference());
    } catch (Throwable e) {
      mount.close();
      throw e;
    }
  }

  private PreparedMount tmpfs(MountRequest request, MountContext context, long size, int mode) {
    if (size < 0) {
      throw invalid("tmpfs %s has a negative size".formatted(request.destination()));
    }
    Map<String, String> options = new LinkedHashMap<>();
    options.put("mode", Integer.toOctalString(mode & 07777));
    if (size > 0) {
      options.put("size", Long.toString(size));
    }
    if (request.relabel() && !context.mountLabel().isEmpty()) {
      options.put("context", context.mountLabel());
    }
    Fd mount = kernel.mounts().tmpfs(options, RESTRICTED);
    try {
      attributes(mount, request, context, "tmpfs", RESTRICTED);
    } catch (Throwable e) {
      mount.close();
      throw e;
    }
    return new PreparedMount(mount, request.destination(), true, Propagation.PRIVATE, "tmpfs");
  }

  private void attributes(
      Fd mount, MountRequest request, MountContext context, String description, long always) {
    // Propagation goes to all mounts below; options only to the one on top, as mount(8) has it.
    kernel
        .mounts()
        .setAttributes(
            mount,
            MountAttributes.NONE.with(
                switch (request.propagation()) {
                  case PRIVATE -> io.jrt.linux.Propagation.PRIVATE;
                  case HOST_TO_CONTAINER -> io.jrt.linux.Propagation.SLAVE;
                  case BIDIRECTIONAL -> io.jrt.linux.Propagation.SHARED;
                }),
            true);
    if (request.idMapped() && context.userNamespace().isPresent()) {
      idMap(mount, context.userNamespace().get(), description);
    }
    OptionBits bits = OptionBits.parse(request.options(), request.destination());
    long set = bits.set() | always;
    if (request.readOnly()) {
      set |= MountFlags.MOUNT_ATTR_RDONLY;
    }
    if (set != 0 || bits.clear() != 0) {
      kernel.mounts().setAttributes(mount, MountAttributes.set(set).withClear(bits.clear()), false);
    }
    if (request.recursiveReadOnly()) {
      recursiveReadOnly(mount, request.destination());
    }
  }

  private void recursiveReadOnly(Fd mount, String destination) {
    try {
      kernel.mounts().setAttributes(mount, MountAttributes.readOnly(), true);
    } catch (KernelException e) {
      throw new JrtException(
          ErrorKind.UNIMPLEMENTED,
          STEP,
          "RROUnsupported: mount %s cannot be made read-only with all below it: %s"
              .formatted(destination, e.errno()),
          e);
    }
  }

  private void idMap(Fd mount, Fd userNamespace, String description) {
    try {
      kernel.mounts().setAttributes(mount, MountAttributes.NONE.idmapped(userNamespace), false);
    } catch (KernelException e) {
      if (e.is(Errno.EINVAL, Errno.ENOSYS, Errno.EOPNOTSUPP, Errno.EPERM)) {
        throw new JrtException(
            ErrorKind.UNIMPLEMENTED,
            STEP,
            "%s is on a file system that cannot show other user ids here (idmapped mount: %s)"
                .formatted(description, e.errno()),
            e);
      }
      throw e;
    }
  }

  private static void checkPropagation(
      Propagation propagation, Fd source, Path path, MountTable table) {
    if (propagation == Propagation.PRIVATE) {
      return;
    }
    MountEntry mount = table.of(source);
    boolean bothWays = propagation == Propagation.BIDIRECTIONAL;
    if (mount.isShared() || (!bothWays && mount.isSlave())) {
      return;
    }
    throw new JrtException(
        ErrorKind.FAILED_PRECONDITION,
        STEP,
        "path \"%s\" is mounted on \"%s\" but it is not a shared%s mount"
            .formatted(path, mount.target(), bothWays ? "" : " or slave"),
        "make it shared on the node: mount --make-rshared " + mount.target(),
        null);
  }

  private Fd open(Path path, boolean create) {
    try {
      return files.open(path, OpenFlags.O_PATH);
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT, Errno.ENOTDIR)) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            STEP,
            "failed to stat \"%s\": %s".formatted(path, e.errno().description()),
            e);
      }
      if (!create) {
        throw new JrtException(
            ErrorKind.NOT_FOUND,
            STEP,
            "failed to stat \"%s\": %s".formatted(path, e.errno().description()),
            e);
      }
    }
    try {
      java.nio.file.Files.createDirectories(path);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "cannot make directory %s: %s".formatted(path, e),
          e);
    }
    return files.open(path, OpenFlags.O_PATH);
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, STEP, message);
  }
}
