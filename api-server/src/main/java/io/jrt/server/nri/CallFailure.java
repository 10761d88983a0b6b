package io.jrt.server.nri;

/** A call to a plugin that did not go well. */
abstract sealed class CallFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private CallFailure(String message) {
    super(message);
  }

  /** The plugin's own word: it says no. */
  static final class Refused extends CallFailure {
    private static final long serialVersionUID = 1L;
    private static final int UNIMPLEMENTED = 12;
    private final int code;

    Refused(int code, String message) {
      super(message);
      this.code = code;
    }

    boolean isUnimplemented() {
      return code == UNIMPLEMENTED;
    }
  }

  /** There is no word from it: it is gone, too slow, or speaks nonsense. */
  static final class Broken extends CallFailure {
    private static final long serialVersionUID = 1L;

    Broken(String message) {
      super(message);
    }
  }
}
