package io.jrt.linux;

/**
 * A system call failed: which, why ({@link Errno}) and on what. The message reads like {@code
 * openat etc/passwd: ENOENT (no such file or directory)}.
 */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final Errno errno;
  private final int errnoValue;
  private final String argument;

  public KernelException(String call, Errno errno, String argument) {
    this(call, errno.number(), argument, "");
  }

  KernelException(String call, int errnoValue, String argument) {
    this(call, errnoValue, argument, "");
  }

  /**
   * @param detail what the kernel said besides the number (the log of a mount context), or empty
   */
  KernelException(String call, int errnoValue, String argument, String detail) {
    super(message(call, errnoValue, argument, detail));
    this.call = call;
    this.errno = Errno.of(errnoValue);
    this.errnoValue = errnoValue;
    this.argument = argument;
  }

  /** The system call's name as in its manual page. */
  public String call() {
    return call;
  }

  public Errno errno() {
    return errno;
  }

  /** The raw number, also of an errno that {@link Errno} does not know. */
  public int errnoValue() {
    return errnoValue;
  }

  /** What it was called on: a path, a descriptor, an option; may be empty. */
  public String argument() {
    return argument;
  }

  /** Whether this is one of those errors. */
  public boolean is(Errno first, Errno... others) {
    if (errno == first) {
      return true;
    }
    for (Errno other : others) {
      if (errno == other) {
        return true;
      }
    }
    return false;
  }

  private static String message(String call, int errnoValue, String argument, String detail) {
    Errno errno = Errno.of(errnoValue);
    StringBuilder text = new StringBuilder(call);
    if (!argument.isEmpty()) {
      text.append(' ').append(argument);
    }
    text.append(": ");
    if (errno == Errno.UNKNOWN) {
      text.append("errno ").append(errnoValue);
    } else {
      text.append(errno).append(" (").append(errno.description()).append(')');
    }
    if (!detail.isEmpty()) {
      text.append(": ").append(detail);
    }
    return text.toString();
  }
}
