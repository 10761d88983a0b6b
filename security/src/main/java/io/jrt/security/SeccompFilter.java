package io.jrt.security;

import java.util.List;

/** A compiled seccomp filter, ready for {@code seccomp(2)} with {@code SECCOMP_SET_MODE_FILTER}. */
public final class SeccompFilter {
  /** The size of one {@code struct sock_filter}. */
  public static final int INSTRUCTION_BYTES = 8;

  private final String profile;
  private final byte[] program;
  private final int flags;
  private final List<String> unknown;
  private final String listenerPath;
  private final String listenerMetadata;

  SeccompFilter(
      String profile,
      byte[] program,
      int flags,
      List<String> unknown,
      String listenerPath,
      String listenerMetadata) {
    this.profile = profile;
    this.program = program.clone();
    this.flags = flags;
    this.unknown = List.copyOf(unknown);
    this.listenerPath = listenerPath;
    this.listenerMetadata = listenerMetadata;
  }

  /** Where it comes from: {@code runtime/default} or the path of the profile. */
  public String profile() {
    return profile;
  }

  /** A copy of the {@code struct sock_filter} array, in the byte order of this machine. */
  public byte[] program() {
    return program.clone();
  }

  /** How many instructions the program has; the kernel takes 4096 at most. */
  public int length() {
    return program.length / INSTRUCTION_BYTES;
  }

  /** The {@code SECCOMP_FILTER_FLAG_*} bits the profile asks for. */
  public int flags() {
    return flags;
  }

  /**
   * The socket to which the notification descriptor goes; empty for a filter that notifies nobody.
   */
  public String listenerPath() {
    return listenerPath;
  }

  /** What is sent along with that descriptor. */
  public String listenerMetadata() {
    return listenerMetadata;
  }

  /** System calls that the profile names and nothing on this machine knows. */
  public List<String> unknown() {
    return unknown;
  }
}
