package io.jrt.core.cgroup;

import io.jrt.security.DeviceRule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One control group, in all hierarchies it exists in. Calls open what they need below the cgroup's
 * directory and keep nothing open, but for a meter.
 */
public interface Cgroup {

  /** As it was created, the same in every hierarchy. */
  String path();

  /**
   * Changes what is given, leaves the rest. Either all of it is applied or, when a file refuses,
   * what was written before is put back.
   *
   * @throws io.jrt.errors.JrtException FAILED_PRECONDITION when memory in use is above the new
   *     limit; INVALID when the kernel refuses a value, naming file and value
   */
  void update(Resources resources);

  /** Present use, read from the kernel's files. */
  CgroupStats stats();

  /** Measures it again and again at little cost. */
  CgroupMeter meter();

  /** How often processes met the memory limit; never goes down while the cgroup lives. */
  OomCounters oomCounters();

  /**
   * The file whose modification (inotify) tells of OOM events; empty on v1, which has none, and
   * without the memory controller: the counters tell it afterwards.
   */
  Optional<Path> oomEvents();

  /**
   * The devices its processes may use: the rules in order, the last that matches decides, none
   * means refused. Replaces what this set before.
   */
  void devices(List<DeviceRule> rules);

  /**
   * Puts the rules in force again where somebody else changed them, as service managers do when
   * they are reloaded. What is as it should be stays untouched, so that no access fails meanwhile.
   *
   * @param rules as they were given last
   * @return whether something had to be put back
   */
  boolean restoreDevices(List<DeviceRule> rules);

  /** Moves a process into it; nothing happens when that has ended. */
  void admit(int pid);

  /** Opens what the launcher needs to start a process in this cgroup. Close it after the launch. */
  OpenPlacement placement();

  /** Stops all processes and waits until they are stopped. */
  void freeze(Duration timeout);

  void thaw();

  boolean isFrozen();

  /** Process ids in it and all below, as the daemon sees them. */
  Set<Integer> processes();

  /** Whether a process is in it or below. */
  boolean isPopulated();

  /**
   * Kills every process in it and below and waits till none is left.
   *
   * @throws io.jrt.errors.JrtException DEADLINE when some are left (in uninterruptible sleep)
   */
  void killAll(Duration timeout);

  /**
   * Removes it and all below; waits a while for the kernel to let go of processes just ended. What
   * is gone already is fine.
   */
  void remove();

  /** Names of the cgroups directly below. */
  List<String> children();

  /** A cgroup below this one, made if needed, without limits: for the processes of an exec. */
  Cgroup child(String name);
}
