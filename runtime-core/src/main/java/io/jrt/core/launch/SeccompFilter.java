package io.jrt.core.launch;

import java.util.Arrays;

/**
 * A seccomp program as the kernel takes it: an array of {@code struct sock_filter} (8 bytes each,
 * host byte order) and the flags of seccomp(2). {@link #NONE} installs nothing.
 */
public final class SeccompFilter {
  /** No filter. */
  public static final SeccompFilter NONE = new SeccompFilter(new byte[0], 0);

  private static final int MAX_INSTRUCTIONS = 4096;
  private static final int INSTRUCTION_BYTES = 8;

  private final byte[] program;
  private final int flags;

  private SeccompFilter(byte[] program, int flags) {
    this.program = program;
    this.flags = flags;
  }

  /**
   * @param program whole instructions, at most 4096 of them
   * @param flags SECCOMP_FILTER_FLAG_* bits
   */
  public static SeccompFilter of(byte[] program, int flags) {
    if (program.length == 0 || program.length % INSTRUCTION_BYTES != 0) {
      throw new IllegalArgumentException(
          "a seccomp program of " + program.length + " bytes is not a number of instructions");
    }
    if (program.length / INSTRUCTION_BYTES > MAX_INSTRUCTIONS) {
      throw new IllegalArgumentException(
          "a seccomp program of "
              + program.length / INSTRUCTION_BYTES
              + " instructions is longer than the kernel's limit of "
              + MAX_INSTRUCTIONS);
    }
    return new SeccompFilter(program.clone(), flags);
  }

  /** A copy of the instructions. */
  public byte[] program() {
    return program.clone();
  }

  public int flags() {
    return flags;
  }

  public boolean isNone() {
    return program.length == 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SeccompFilter that
        && flags == that.flags
        && Arrays.equals(program, that.program);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(program) + flags;
  }

  @Override
  public String toString() {
    return isNone()
        ? "no seccomp filter"
        : "seccomp filter of " + program.length / INSTRUCTION_BYTES + " instructions";
  }
}
