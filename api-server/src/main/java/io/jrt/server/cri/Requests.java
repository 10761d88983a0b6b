package io.jrt.server.cri;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/** What is wrong with a request before anything is done. */
final class Requests {
  private Requests() {}

  static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, "read request", message);
  }

  /** The value, which must not be empty. */
  static String required(String value, String field) {
    if (value.isEmpty()) {
      throw invalid(field + " is missing");
    }
    return value;
  }
}
