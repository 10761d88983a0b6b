package io.jrt.core.launch;

import java.nio.file.Path;

/** Starts containers and finds those that an earlier daemon started. */
public interface Launcher extends AutoCloseable {
  /**
   * Starts a container: returns when its program runs, or throws with nothing left behind. Blocks
   * its thread for a few milliseconds.
   *
   * @param keeperDir an existing, empty directory on a filesystem that lives as long as the boot;
   *     its container's keeper writes its records there. The caller removes it after the
   *     acknowledgement
   * @throws io.jrt.errors.JrtException INVALID when the program cannot be executed (missing, a
   *     directory, of another architecture, without its interpreter), DENIED when the kernel
   *     refused, INTERNAL or UNAVAILABLE else; the step is "start container"
   */
  LiveContainer start(LaunchSpec spec, LaunchIo io, Path keeperDir);

  /** The same, with a stop before the root is changed. */
  LiveContainer start(LaunchSpec spec, LaunchIo io, Path keeperDir, RootfsGate gate);

  /**
   * Starts the process that holds and reaps a pid namespace shared by a pod's containers: jrt-init
   * itself as pid 1 in an empty root, without capabilities. Its pid namespace is what the
   * containers join.
   *
   * @param namespaces with a new pid namespace
   * @param label what it runs as, and its root carries, for SELinux
   */
  LiveContainer startPodInit(
      NamespacePlan namespaces, CgroupPlacement cgroup, Path keeperDir, PodInitLabel label);

  /** Finds what {@link #start} of an earlier daemon left in that directory. */
  Adopted adopt(Path keeperDir);

  /**
   * Kills the keeper that {@link #adopt} could not take over, as far as its own record tells it.
   * Its container is the caller's to end.
   */
  void discard(Path keeperDir);

  /** Frees what this object holds; containers are not touched. */
  @Override
  void close();
}
