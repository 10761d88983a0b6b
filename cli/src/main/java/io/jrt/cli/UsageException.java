package io.jrt.cli;

/** The command line is wrong: one sentence, and perhaps a hint. Ends the command with code 2. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(message);
  }
}
