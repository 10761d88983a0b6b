package io.jrt.server.cri;

import io.jrt.cri.v1.Signal;

/**
 * CRI's signals, {@code SIGNAL_SIGRTMINPLUS3}, as the names that everybody else uses, {@code
 * SIGRTMIN+3}, and back.
 */
final class SignalTranslation {
  private static final String PREFIX = "SIGNAL_";

  private SignalTranslation() {}

  /** Empty for the image's or the runtime's choice. */
  static String of(Signal cri) {
    return switch (cri) {
      case SIGNAL_RUNTIME_DEFAULT -> "";
      case UNRECOGNIZED -> throw Requests.invalid("a stop signal that jrt does not know");
      default ->
          cri.name()
              .substring(PREFIX.length())
              .replace("MINPLUS", "MIN+")
              .replace("MAXMINUS", "MAX-");
    };
  }

  /** The default for a name that CRI has no value for. */
  static Signal toCri(String name) {
    String wanted = PREFIX + name.replace("MIN+", "MINPLUS").replace("MAX-", "MAXMINUS");
    for (Signal signal : Signal.values()) {
      if (signal.name().equals(wanted)) {
        return signal;
      }
    }
    return Signal.SIGNAL_RUNTIME_DEFAULT;
  }
}
