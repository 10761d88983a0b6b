package io.jrt.network.cni;

import io.jrt.errors.ErrorKind;

/** A plugin did not do what it was asked; the message names the plugin and says why. */
final class PluginException extends Exception {
  private static final long serialVersionUID = 1L;

  private final ErrorKind kind;

  PluginException(ErrorKind kind, String message) {
    super(message);
    this.kind = kind;
  }

  ErrorKind kind() {
    return kind;
  }
}
