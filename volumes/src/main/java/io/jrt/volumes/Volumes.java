package io.jrt.volumes;

import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.MountAttributes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Every mount of a container that is not its root file system, made as detached mounts before the
 * container exists.
 */
public final class Volumes {
  private final Kernel kernel;
  private final LocalVolumes named;
  private final ProjectQuotas quota;
  private final MountPreparer preparer;
  private final Watched watched;

  /** Also finishes what a crash left half done among the named volumes. */
  public Volumes(Kernel kernel, VolumesConfig config) {
    this.kernel = kernel;
    this.quota = new ProjectQuotas(kernel.files());
    this.named = new LocalVolumes(kernel, config.root(), quota);
    this.preparer = new MountPreparer(kernel, new ImageMounts(kernel), named);
    this.watched = new Watched(config.prepareTimeout());
  }

  /**
   * Makes the mounts, in the order in which they must be attached: a destination after all it lies
   * below, equal destinations as given.
   *
   * <p>On failure everything made so far is undone.
   *
   * @throws JrtException NOT_FOUND for a missing source; INVALID for a request that contradicts
   *     itself; FAILED_PRECONDITION for propagation of a source that is not shared; UNIMPLEMENTED
   *     for what this kernel cannot do; DEADLINE for a file system that does not answer
   */
  public List<PreparedMount> prepare(List<MountRequest> requests, MountContext context) {
    List<MountRequest> ordered = Destinations.ordered(requests);
    ordered.forEach(request -> MountPreparer.check(request, context));
    if (ordered.isEmpty()) {
      return List.of();
    }
    MountTable table = new MountTable(kernel);
    return watched.call(
        context.owner(),
        step -> {
          List<PreparedMount> prepared = new ArrayList<>();
          try {
            for (MountRequest request : ordered) {
              step.begin(describe(request));
              kernel.failPoints().hit("prepare-mounts.make");
              prepared.add(preparer.prepare(request, context, table));
            }
            return prepared;
          } catch (Throwable e) {
            prepared.forEach(PreparedMount::close);
            throw e;
          }
        },
        late -> late.forEach(PreparedMount::close));
  }

  private static String describe(MountRequest request) {
    String source =
        switch (request.source()) {
          case MountSource.HostPath(Path path, boolean create) -> path.toString();
          case MountSource.Named(String name) -> "volume " + name;
          case MountSource.Image image -> "image " + image.reference();
          case MountSource.Tmpfs tmpfs -> "tmpfs";
        };
    return "mount of %s on %s".formatted(source, request.destination());
  }

  /** Mounts whose file system has not answered for at least this long, the oldest first. */
  public List<SlowMount> slowerThan(Duration time) {
    return watched.slowerThan(time);
  }

  /** What this kernel can do. */
  public VolumeFeatures features() {
    boolean recursive;
    try (Fd mount = kernel.mounts().tmpfs(Map.of("size", "4096"), 0)) {
      kernel.mounts().setAttributes(mount, MountAttributes.readOnly(), true);
      recursive = true;
    } catch (KernelException e) {
      recursive = false;
    }
    boolean idMapped;
    try (Fd mount = kernel.mounts().tmpfs(Map.of("size", "4096"), 0);
        Fd initial = kernel.namespaces().open(Path.of("/proc/self/ns/user"))) {
      kernel.mounts().setAttributes(mount, MountAttributes.NONE.idmapped(initial), false);
      idMapped = true;
    } catch (KernelException e) {
      // A kernel that knows idmapped mounts refuses the initial namespace in particular.
      idMapped = e.is(Errno.EPERM);
    }
    return new VolumeFeatures(recursive, idMapped);
  }

  /** Whether files below this directory can be shown with the ids of this user namespace. */
  public boolean canIdMap(Path directory, Fd userNamespace) {
    try (Fd mount = kernel.mounts().bindClone(directory, false)) {
      kernel.mounts().setAttributes(mount, MountAttributes.NONE.idmapped(userNamespace), false);
      return true;
    } catch (KernelException e) {
      return false;
    }
  }

  /** The volumes that people made. */
  public NamedVolumes named() {
    return named;
  }

  /** Size limits of directories. */
  public DirectoryQuota quota() {
    return quota;
  }
}
