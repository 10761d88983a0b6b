package io.jrt.server.streaming;

import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** How a command or an attach ended, as the error stream tells it. */
sealed interface CommandStatus {

  /** It ended with code 0, or the attach is over. */
  record Success() implements CommandStatus {}

  /** The command's own failure. */
  record NonZeroExit(int code) implements CommandStatus {}

  /** It could not be run, or its streams broke. */
  record Failed(String message) implements CommandStatus {}

  static CommandStatus ofExitCode(int code) {
    return code == 0 ? new Success() : new NonZeroExit(code);
  }

  /** The text of protocols before v4; empty for success. */
  default String text() {
    return switch (this) {
      case Success() -> "";
      case NonZeroExit(int code) -> "command terminated with non-zero exit code: " + code;
      case Failed(String message) -> message;
    };
  }

  /** The {@code metav1.Status} object of protocol v4 and later. */
  default String json() {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.putObject("metadata");
    switch (this) {
      case Success() -> status.put("status", "Success");
      case NonZeroExit(int code) -> {
        status.put("status", "Failure");
        status.put("message", text());
        status.put("reason", "NonZeroExitCode");
        status
            .putObject("details")
            .putArray("causes")
            .addObject()
            .put("reason", "ExitCode")
            .put("message", Integer.toString(code));
      }
      case Failed(String message) -> {
        status.put("status", "Failure");
        status.put("message", message);
        status.put("reason", "InternalError");
        status.putObject("details").putArray("causes").addObject().put("message", message);
        status.put("code", 500);
      }
    }
    return status.toString();
  }
}
