package io.jrt.security;

import io.jrt.linux.Seccomp;
import java.util.List;
import java.util.OptionalInt;

/**
 * A seccomp profile as written: OCI's {@code linux.seccomp}, with Docker's additions ({@code
 * archMap}, {@code includes}, {@code excludes}).
 *
 * @param origin the file, or {@code runtime/default}
 * @param architectures as {@code SCMP_ARCH_X86_64}; empty means the native one
 * @param flags the {@code SECCOMP_FILTER_FLAG_*} bits, or empty when the profile has no list
 * @param listenerPath socket that gets the notification descriptor, empty for none
 */
record SeccompProfile(
    String origin,
    int defaultAction,
    List<String> architectures,
    List<ArchitectureMap> architectureMap,
    OptionalInt flags,
    String listenerPath,
    String listenerMetadata,
    List<Rule> rules) {

  static final int FLAG_LOG = 1 << 1;
  static final int FLAG_SPEC_ALLOW = 1 << 2;
  static final int FLAG_NEW_LISTENER = 1 << 3;

  /** Docker's: on a machine of this architecture, filter these too. */
  record ArchitectureMap(String architecture, List<String> subArchitectures) {}

  /**
   * A rule for one or more calls.
   *
   * @param line where it begins in the file, from 1
   * @param index its place in {@code syscalls}, from 0
   * @param action with the errno or the trace message in the lower half
   */
  record Rule(
      int line,
      int index,
      List<String> names,
      int action,
      List<Seccomp.Argument> arguments,
      Condition includes,
      Condition excludes) {}

  /**
   * When a rule counts.
   *
   * @param architectures Go's names ({@code amd64})
   * @param minKernel {@code major.minor}, empty for any
   */
  record Condition(List<String> capabilities, List<String> architectures, String minKernel) {
    static final Condition NONE = new Condition(List.of(), List.of(), "");
  }

  static boolean isErrno(int action) {
    return (action & 0xffff0000) == Seccomp.actionErrno(0);
  }

  static boolean isTrace(int action) {
    return (action & 0xffff0000) == Seccomp.actionTrace(0);
  }
}
