package io.jrt.core.launch;

import io.jrt.linux.Fd;
import java.util.List;
import java.util.Map;

/**
 * A container, completely decided and prepared: the content of the OCI runtime spec, with every
 * mount and namespace as an open descriptor. The descriptors stay the caller's and can be closed as
 * soon as {@link Launcher#start} returned.
 *
 * @param rootfs a detached mount, writable; made read-only at the end when {@code readonlyRootfs}
 * @param sharedRootfs whether mounts made below the root propagate (CRI's BIDIRECTIONAL needs it)
 * @param maskedPaths in the container; what is missing there is ignored
 * @param readonlyPaths in the container; what is missing there is ignored
 * @param sysctls names with dots or slashes, written in the container's namespaces
 * @param hostname set in the container's UTS namespace when not empty
 * @param clampUnpermitted whether an rlimit or oom score that this daemon may not set is clamped to
 *     what it may (see {@link LiveContainer#clamped}) instead of failing the start
 */
public record LaunchSpec(
    ProcessSpec process,
    NamespacePlan namespaces,
    Fd rootfs,
    boolean readonlyRootfs,
    boolean sharedRootfs,
    List<MountStep> mounts,
    List<DeviceNode> devices,
    List<CString> maskedPaths,
    List<CString> readonlyPaths,
    Map<String, String> sysctls,
    String hostname,
    String domainname,
    CgroupPlacement cgroup,
    boolean clampUnpermitted) {
  public LaunchSpec {
    mounts = List.copyOf(mounts);
    devices = List.copyOf(devices);
    maskedPaths = List.copyOf(maskedPaths);
    readonlyPaths = List.copyOf(readonlyPaths);
    sysctls = Map.copyOf(sysctls);
  }
}
