package io.jrt.server.rpc;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/**
 * How an error becomes a gRPC status: its kind is the code, and the message reads {@code step:
 * message (hint)}.
 *
 * <p>The kubelet looks for four words at the beginning of a message and shows them as the reason of
 * a waiting container; they stand before the step where the failure is of that sort.
 */
public final class Statuses {
  private Statuses() {}

  public static Status of(Throwable error) {
    return switch (error) {
      case JrtException jrt ->
          code(jrt.kind()).toStatus().withDescription(sentence(jrt)).withCause(jrt);
      case StatusRuntimeException status -> status.getStatus();
      case StatusException status -> status.getStatus();
      case OutOfMemoryError exhausted ->
          Status.RESOURCE_EXHAUSTED
              .withDescription("the daemon is at a limit: " + exhausted.getMessage())
              .withCause(exhausted);
      default ->
          Status.INTERNAL.withDescription("a fault of jrt itself: " + error).withCause(error);
    };
  }

  /** What the kubelet, a log line and a person get to read. */
  public static String sentence(JrtException error) {
    String hint = error.hint().map(text -> " (" + text + ")").orElse("");
    String message = String.valueOf(error.getMessage());
    return KubeletReason.of(error)
            .map(reason -> reason.before(error.step(), message))
            .orElse(error.step() + ": " + message)
        + hint;
  }

  private static Status.Code code(ErrorKind kind) {
    return switch (kind) {
      case NOT_FOUND -> Status.Code.NOT_FOUND;
      case ALREADY_EXISTS -> Status.Code.ALREADY_EXISTS;
      case INVALID -> Status.Code.INVALID_ARGUMENT;
      case FAILED_PRECONDITION -> Status.Code.FAILED_PRECONDITION;
      case UNAVAILABLE -> Status.Code.UNAVAILABLE;
      case UNAUTHENTICATED -> Status.Code.UNAUTHENTICATED;
      case DENIED -> Status.Code.PERMISSION_DENIED;
      case NO_SPACE, EXHAUSTED -> Status.Code.RESOURCE_EXHAUSTED;
      case DEADLINE -> Status.Code.DEADLINE_EXCEEDED;
      case CANCELLED -> Status.Code.CANCELLED;
      case UNIMPLEMENTED -> Status.Code.UNIMPLEMENTED;
      case DATA_LOSS -> Status.Code.DATA_LOSS;
      case INTERNAL -> Status.Code.INTERNAL;
    };
  }
}
