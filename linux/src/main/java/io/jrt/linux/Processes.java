package io.jrt.linux;

import java.util.Optional;
import java.util.OptionalLong;

/** Starting, finding, signalling and waiting for processes. */
public interface Processes {

  /**
   * Starts a program by posix_spawn, whose child shares memory with the daemon only until it has
   * executed the program, and never forks the JVM. Blocks until then. The program starts with
   * default signal actions, nothing blocked and none but the given descriptors.
   *
   * @return its pid
   * @throws KernelException also when the program could not be executed
   */
  int spawn(SpawnRequest request);

  /**
   * A descriptor of the process (the thread group) with that pid.
   *
   * @throws KernelException ESRCH when there is none, also where a thread has that number
   */
  Fd pidfdOpen(int pid);

  /** False when the process is gone. */
  boolean pidfdSendSignal(Fd pidfd, int signal);

  /** A copy of descriptor {@code number} of another process. */
  Fd pidfdGetfd(Fd pidfd, int number);

  /** Waits for the end of a child and reaps it. */
  WaitResult waitFor(Fd pidfd);

  /**
   * Looks whether a child has ended.
   *
   * @param reap whether it is reaped or left as a zombie
   */
  Optional<WaitResult> poll(Fd pidfd, boolean reap);

  /** False when there is no such process. A pid of another's may be reused: prefer pidfds. */
  boolean kill(int pid, int signal);

  /**
   * When the process started, in clock ticks since boot (field 22 of /proc/PID/stat): with the pid,
   * an identity that is not reused. Empty when there is no such process.
   */
  OptionalLong startTime(int pid);

  /** This process's id. */
  int pid();

  /** This thread's id. */
  int tid();

  /** prctl(2) on the calling thread. */
  int prctl(int option, long argument);

  /** The calling thread's capabilities. */
  CapabilitySets capabilities();

  /** Sets the calling thread's capabilities only. */
  void setCapabilities(CapabilitySets sets);

  /** The highest capability this kernel knows. */
  int lastCapability();

  /**
   * @param pid 0 for this process
   * @param resource {@code RLIMIT_*}
   */
  ResourceLimit resourceLimit(int pid, int resource);

  void setResourceLimit(int pid, int resource, ResourceLimit limit);

  /** Writes /proc/PID/oom_score_adj; lowering it below the inherited one needs CAP_SYS_RESOURCE. */
  void setOomScoreAdj(int pid, int value);

  int oomScoreAdj(int pid);
}
