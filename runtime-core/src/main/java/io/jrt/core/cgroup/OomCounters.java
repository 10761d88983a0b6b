package io.jrt.core.cgroup;

/**
 * What happened at the memory limit.
 *
 * @param oom how often the limit could not be met by reclaim (v2 only, else 0)
 * @param killed processes of this cgroup, or one below, killed by the kernel for memory
 * @param killedHere those killed in this very cgroup; equal to {@code killed} where not told apart
 */
public record OomCounters(long oom, long killed, long killedHere) {
  public static final OomCounters NONE = new OomCounters(0, 0, 0);

  /** Whether the kernel killed a process since {@code before} was read. */
  public boolean killedSince(OomCounters before) {
    return killed > before.killed;
  }
}
