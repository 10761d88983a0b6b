package io.jrt.server.trace;

import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.jrt.server.rpc.Statuses;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Makes a span of each call, in the trace of the caller if it sends one.
 *
 * <p>Calls that only read begin no trace of their own: the kubelet makes several of them every
 * second.
 */
final class TraceInterceptor implements ServerInterceptor {
  private static final io.grpc.Context.Key<Context> CURRENT = io.grpc.Context.key("jrt-trace");
  private static final Pattern READS =
      Pattern.compile(
          "List.*|Stream.*|.*Status|.*Stats|Version|Info|ImageFsInfo|RuntimeConfig|.*Events"
              + "|Inspect.*|Logs|Why|ShowConfig");
  private static final W3CTraceContextPropagator TRACE_CONTEXT =
      W3CTraceContextPropagator.getInstance();

  private final Tracer tracer;

  TraceInterceptor(Tracer tracer) {
    this.tracer = tracer;
  }

  /** That of the call that this thread serves. */
  static Context current() {
    Context current = CURRENT.get();
    return current == null ? Context.root() : current;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    MethodDescriptor<Q, A> method = call.getMethodDescriptor();
    Context caller = TRACE_CONTEXT.extract(Context.root(), headers, Headers.READER);
    boolean reads = READS.matcher(String.valueOf(method.getBareMethodName())).matches();
    if (reads && !Span.fromContext(caller).getSpanContext().isValid()) {
      return next.startCall(call, headers);
    }
    Span span =
        tracer
            .spanBuilder(method.getFullMethodName())
            .setParent(caller)
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("rpc.system", "grpc")
            .setAttribute("rpc.service", String.valueOf(method.getServiceName()))
            .setAttribute("rpc.method", String.valueOf(method.getBareMethodName()))
            .setAttribute("jrt.request", String.valueOf(MDC.get("request")))
            .startSpan();
    var traced =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            end(span, status);
            super.close(status, trailers);
          }
        };
    ServerCall.Listener<Q> listener =
        Contexts.interceptCall(
            io.grpc.Context.current().withValue(CURRENT, caller.with(span)), traced, headers, next);
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onMessage(Q message) {
        watched(() -> super.onMessage(message));
      }

      @Override
      public void onHalfClose() {
        watched(super::onHalfClose);
      }

      @Override
      public void onCancel() {
        end(span, Status.CANCELLED);
        super.onCancel();
      }

      // What it throws becomes a status further out.
      private void watched(Runnable step) {
        try {
          step.run();
        } catch (RuntimeException | StackOverflowError e) {
          end(span, Statuses.of(e));
          throw e;
        }
      }
    };
  }

  /** Only the first end of a span counts. */
  private static void end(Span span, Status status) {
    span.setAttribute("rpc.grpc.status_code", status.getCode().value());
    if (!status.isOk()) {
      span.setStatus(StatusCode.ERROR, String.valueOf(status.getDescription()));
    }
    span.end();
  }

  /** Looks into the metadata of a call. */
  private enum Headers implements TextMapGetter<Metadata> {
    READER;

    @Override
    public Iterable<String> keys(Metadata headers) {
      return headers.keys();
    }

    @Override
    public @Nullable String get(@Nullable Metadata headers, String key) {
      return headers == null
          ? null
          : headers.get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER));
    }
  }
}
