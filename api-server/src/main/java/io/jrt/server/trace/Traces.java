package io.jrt.server.trace;

import io.grpc.BindableService;
import io.grpc.ServerInterceptors;
import io.jrt.core.op.OperationObserver;
import io.jrt.errors.JrtException;
import io.jrt.server.config.TracesConfig;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls, the operations they begin and the steps of these, as spans that are sent to a collector
 * from a thread of their own. A collector that is away costs traces, and nothing else: what does
 * not fit the queue is dropped.
 *
 * <p>Nothing refers to this class unless traces are wanted, so that a daemon without them loads
 * none of OpenTelemetry.
 */
public final class Traces implements OperationObserver, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Traces.class);
  private static final int PATIENCE_SECONDS = 5;

  private final SdkTracerProvider provider;
  private final Tracer tracer;

  private Traces(SdkTracerProvider provider) {
    this.provider = provider;
    this.tracer = provider.get("io.jrt");
  }

  /**
   * @param config whose endpoint is not empty
   * @param root tells this daemon from others of the machine
   */
  public static Traces start(TracesConfig config, String version, Path root) {
    OtlpHttpSpanExporter exporter =
        OtlpHttpSpanExporter.builder()
            .setEndpoint(config.endpoint())
            .setTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
            .build();
    return new Traces(
        SdkTracerProvider.builder()
            .setResource(
                Resource.create(
                    Attributes.builder()
                        .put("service.name", "jrtd")
                        .put("service.version", version)
                        .put("service.instance.id", root.toString())
                        .put("host.name", hostName())
                        .build()))
            .setSampler(
                Sampler.parentBased(Sampler.traceIdRatioBased(config.samplePercent() / 100.0)))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
            .build());
  }

  private static String hostName() {
    try {
      return String.join("", Files.readAllLines(Path.of("/proc/sys/kernel/hostname")));
    } catch (IOException e) {
      log.debug("no name of this machine: {}", e.toString());
      return "localhost";
    }
  }

  /** The service, each call of which is a span. */
  public BindableService around(BindableService service) {
    var interceptor = new TraceInterceptor(tracer);
    return () -> ServerInterceptors.intercept(service.bindService(), interceptor);
  }

  /** An operation that nobody's call has begun, as those of recovery, has no place in a trace. */
  @Override
  public Heard began(String operation, String key) {
    Context caller = TraceInterceptor.current();
    if (!Span.fromContext(caller).getSpanContext().isSampled()) {
      return (step, since, until, failed) -> {};
    }
    Span span =
        tracer.spanBuilder(operation).setParent(caller).setAttribute("jrt.object", key).startSpan();
    return new OperationSpan(tracer, span, caller.with(span));
  }

  /** An operation under way. */
  private record OperationSpan(Tracer tracer, Span span, Context context) implements Heard {
    @Override
    public void stepEnded(String step, Instant since, Instant until, boolean failed) {
      Span child = tracer.spanBuilder(step).setParent(context).setStartTimestamp(since).startSpan();
      if (failed) {
        child.setStatus(StatusCode.ERROR);
      }
      child.end(until);
    }

    @Override
    public void ended(Instant at, Optional<Throwable> failure) {
      failure.ifPresent(
          error -> {
            span.setStatus(StatusCode.ERROR, String.valueOf(error.getMessage()));
            if (error instanceof JrtException known) {
              span.setAttribute("error.type", known.kind().name());
            }
          });
      span.end();
    }
  }

  /** Sends what is left, if it is taken soon. */
  @Override
  public void close() {
    provider.shutdown().join(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }
}
