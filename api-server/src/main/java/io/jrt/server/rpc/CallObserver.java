package io.jrt.server.rpc;

import io.grpc.Status;

/** Hears of every call that ended; for metrics. */
@FunctionalInterface
public interface CallObserver {

  /** Hears nothing. */
  CallObserver NONE = (method, code, nanos) -> {};

  /** Must not block. */
  void ended(String method, Status.Code code, long nanos);
}
