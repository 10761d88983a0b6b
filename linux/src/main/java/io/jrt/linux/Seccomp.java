package io.jrt.linux;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * libseccomp, which turns rules into a BPF filter for the kernel. Loaded at the first use; a
 * missing library is a {@link io.jrt.errors.JrtException} that says what to install.
 */
public interface Seccomp {
  int SCMP_ACT_KILL_PROCESS = 0x80000000;
  int SCMP_ACT_KILL_THREAD = 0x00000000;
  int SCMP_ACT_TRAP = 0x00030000;
  int SCMP_ACT_LOG = 0x7ffc0000;
  int SCMP_ACT_ALLOW = 0x7fff0000;
  int SCMP_ACT_NOTIFY = 0x7fc00000;

  int SCMP_FLTATR_CTL_NNP = 3;
  int SCMP_FLTATR_CTL_TSYNC = 4;
  int SCMP_FLTATR_CTL_LOG = 6;
  int SCMP_FLTATR_CTL_SSB = 7;
  int SCMP_FLTATR_CTL_OPTIMIZE = 8;

  /** Fails the call with that errno. */
  static int actionErrno(int errno) {
    return 0x00050000 | (errno & 0xffff);
  }

  /** Notifies a tracer with that message. */
  static int actionTrace(int message) {
    return 0x7ff00000 | (message & 0xffff);
  }

  /** A new filter with that action for calls no rule names. */
  Filter newFilter(int defaultAction);

  /**
   * The number of a call on the native architecture; negative for calls other ones have; empty if
   * unknown.
   */
  OptionalInt resolve(String name);

  /** The number on the given architecture token, as {@link #resolveArch} gives it. */
  OptionalInt resolve(int arch, String name);

  /**
   * The token of {@code x86_64}, {@code x86}, {@code x32}, {@code aarch64}, {@code arm}…; empty if
   * unknown.
   */
  OptionalInt resolveArch(String name);

  /** The name of a call on the given architecture; empty if unknown. */
  Optional<String> name(int arch, int number);

  int nativeArch();

  /** The level of kernel features the library may use (see seccomp_api_get). */
  int api();

  void setApi(int level);

  /** Its version, as {@code 2.5.4}. */
  String version();

  /** How an argument is compared; the numbers are libseccomp's. */
  enum Comparison {
    NE(1),
    LT(2),
    LE(3),
    EQ(4),
    GE(5),
    GT(6),
    MASKED_EQ(7);

    private final int number;

    Comparison(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }
  }

  /**
   * A condition on an argument.
   *
   * @param index 0 to 5
   * @param first the value, or the mask of MASKED_EQ
   * @param second the masked value of MASKED_EQ
   */
  record Argument(int index, Comparison comparison, long first, long second) {}

  /** A filter being built. */
  interface Filter extends AutoCloseable {
    /** Adds an architecture; false when it was there. */
    boolean addArch(int token);

    /** False when it was not there. */
    boolean removeArch(int token);

    void attribute(int attribute, int value);

    /**
     * Adds a rule: the action when all conditions hold. A rule equal to the default action is
     * refused by the library (EACCES).
     */
    void rule(int action, int syscall, List<Argument> arguments);

    /** The filter as an array of {@code struct sock_filter}, 8 bytes each, native order. */
    byte[] export();

    /** The filter in pseudo code, for people. */
    String describe();

    @Override
    void close();
  }
}
