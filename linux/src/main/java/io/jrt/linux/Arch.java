package io.jrt.linux;

/** The machine's architecture, as far as kernel numbers depend on it. */
enum Arch {
  X86_64,
  AARCH64;

  static final Arch CURRENT = current();

  private static Arch current() {
    String name = System.getProperty("os.arch", "");
    return switch (name) {
      case "amd64", "x86_64" -> X86_64;
      case "aarch64", "arm64" -> AARCH64;
      default -> throw new ExceptionInInitializerError("no system call numbers for " + name);
    };
  }

  /** The value of a constant that differs between the two. */
  static int pick(int x86, int aarch64) {
    return CURRENT == X86_64 ? x86 : aarch64;
  }
}
