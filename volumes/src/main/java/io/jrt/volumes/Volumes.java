package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.util.List;

/**
 * Every mount of a container that is not its root file system, made as detached mounts before the
 * container exists.
 */
public final class Volumes {
  private final VolumesConfig config;

  public Volumes(Kernel kernel, VolumesConfig config) {
    this.config = config;
    kernel.files();
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
    return absent(requests + " " + context);
  }

  /** What this kernel can do. */
  public VolumeFeatures features() {
    return absent("features");
  }

  /** The volumes that people made. */
  public NamedVolumes named() {
    return absent("named");
  }

  /** Size limits of directories. */
  public DirectoryQuota quota() {
    return absent("quota");
  }

  @SuppressWarnings("TypeParameterUnusedInFormals") // goes with the first implementation
  private <T> T absent(Object what) {
    if (config.hashCode() == 0 || !what.toString().isEmpty()) {
      throw new JrtException(ErrorKind.UNIMPLEMENTED, "start", what.toString());
    }
    throw new IllegalStateException();
  }
}
