package io.jrt.core.launch;

import java.util.List;

/**
 * A process in a container, completely decided: nothing is looked up or defaulted after this.
 *
 * @param args at least one; the first is looked up in the PATH of {@code env} when it has no slash
 * @param env {@code NAME=value} each, bytes as they came
 * @param cwd absolute, in the container; made when missing and the process starts a container
 * @param seccomp installed last when {@code noNewPrivileges}, else before capabilities go
 * @param apparmorProfile the profile to change to at execve, or empty
 * @param selinuxLabel the label to change to at execve, or empty
 * @param oomScoreAdj -1000 to 1000, or {@link #LEAVE_OOM_SCORE} for the daemon's own
 */
public record ProcessSpec(
    List<CString> args,
    List<CString> env,
    CString cwd,
    Credentials user,
    Capabilities capabilities,
    List<Rlimit> rlimits,
    boolean noNewPrivileges,
    SeccompFilter seccomp,
    String apparmorProfile,
    String selinuxLabel,
    int oomScoreAdj) {
  public static final int LEAVE_OOM_SCORE = Integer.MIN_VALUE;

  public ProcessSpec {
    args = List.copyOf(args);
    env = List.copyOf(env);
    rlimits = List.copyOf(rlimits);
    if (args.isEmpty()) {
      throw new IllegalArgumentException("a process without arguments");
    }
    if (oomScoreAdj != LEAVE_OOM_SCORE && (oomScoreAdj < -1000 || oomScoreAdj > 1000)) {
      throw new IllegalArgumentException("oom score " + oomScoreAdj + " is not -1000 to 1000");
    }
  }
}
