package io.jrt.errors;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An operation of jrt failed: of which {@link ErrorKind}, in which step, and why, in one sentence.
 *
 * <p>The message names the object and the value, is lower case and has no full stop. The step is a
 * short fixed phrase ("pull layer", "attach network", "mount volume") that shows up in logs,
 * metrics and {@code jrt ops}. The hint, where there is one, tells the reader what to do.
 */
public final class JrtException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorKind kind;
  private final String step;
  private final @Nullable String hint;

  public JrtException(ErrorKind kind, String step, String message) {
    this(kind, step, message, null, null);
  }

  public JrtException(ErrorKind kind, String step, String message, @Nullable Throwable cause) {
    this(kind, step, message, null, cause);
  }

  public JrtException(
      ErrorKind kind,
      String step,
      String message,
      @Nullable String hint,
      @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.step = step;
    this.hint = hint;
  }

  public ErrorKind kind() {
    return kind;
  }

  /** The step of the operation in which it failed. */
  public String step() {
    return step;
  }

  /** What the reader can do about it, where that is known. */
  public Optional<String> hint() {
    return Optional.ofNullable(hint);
  }
}
