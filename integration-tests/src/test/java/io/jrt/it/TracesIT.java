package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.RunPodSandboxRequest;
import io.jrt.cri.v1.StartContainerRequest;
import io.jrt.cri.v1.StopPodSandboxRequest;
import io.jrt.cri.v1.VersionRequest;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** The spans that a collector gets of a daemon at work. */
class TracesIT {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String UNWANTED = "0af7651916cd43dd8448eb211c80319c";
  private static final String CALLER = "00f067aa0ba902b7";

  private static Metadata traceparent(String value) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), value);
    return headers;
  }

  private static List<Collector.Span> spans(
      Collector collector, Predicate<Collector.Span> wanted, int least) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (true) {
      List<Collector.Span> found = collector.spans().stream().filter(wanted).toList();
      if (found.size() >= least) {
        return found;
      }
      assertThat(System.nanoTime()).as("spans: %s", collector.spans()).isLessThan(end);
      Daemon.sleep(50);
    }
  }

  @Test
  void aCallersTraceHasTheCallTheOperationAndItsSteps() throws Exception {
    try (Collector collector = Collector.start();
        Daemon daemon =
            Daemon.start("[traces]\nendpoint = '%s'\n".formatted(collector.endpoint()))) {
      Cri cri = daemon.cri();
      PodSandboxConfig pod =
          Cri.pod("traced", NamespaceMode.NODE, daemon.home().resolve("logs")).build();
      var traced =
          cri.runtime()
              .withInterceptors(
                  MetadataUtils.newAttachHeadersInterceptor(
                      traceparent("00-" + TRACE + "-" + CALLER + "-01")));
      var unsampled =
          cri.runtime()
              .withInterceptors(
                  MetadataUtils.newAttachHeadersInterceptor(
                      traceparent("00-" + UNWANTED + "-" + CALLER + "-00")));
      String podId =
          traced
              .runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(pod).build())
              .getPodSandboxId();
      traced.version(VersionRequest.getDefaultInstance());
      assertThatThrownBy(
              () ->
                  traced.startContainer(
                      StartContainerRequest.newBuilder().setContainerId("none").build()))
          .isInstanceOf(StatusRuntimeException.class);
      cri.runtime().version(VersionRequest.getDefaultInstance());
      unsampled.stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(podId).build());
      cri.removePod(podId);

      Collector.Span call =
          spans(collector, s -> s.name().endsWith("RuntimeService/RunPodSandbox"), 1).getFirst();
      assertThat(call.service()).isEqualTo("jrtd");
      assertThat(call.trace()).isEqualTo(TRACE);
      assertThat(call.parent()).isEqualTo(CALLER);
      assertThat(call.kind()).isEqualTo(2);
      assertThat(call.attributes())
          .containsEntry("rpc.method", "RunPodSandbox")
          .containsEntry("rpc.grpc.status_code", "0")
          .containsKey("jrt.request");
      Collector.Span operation = spans(collector, s -> s.parent().equals(call.id()), 1).getFirst();
      assertThat(operation.name()).isEqualTo("run pod");
      List<Collector.Span> steps = spans(collector, s -> s.parent().equals(operation.id()), 3);
      assertThat(steps)
          .extracting(Collector.Span::name)
          .contains("make cgroup", "make namespaces", "commit");
      assertThat(steps)
          .allSatisfy(
              step -> {
                assertThat(step.trace()).isEqualTo(TRACE);
                assertThat(step.start()).isLessThanOrEqualTo(step.end());
                assertThat(step.end()).isLessThanOrEqualTo(operation.end());
              });
      Collector.Span failed =
          spans(collector, s -> s.name().endsWith("/StartContainer"), 1).getFirst();
      assertThat(failed.status()).isEqualTo(2);
      assertThat(failed.attributes()).containsEntry("rpc.grpc.status_code", "5");
      // Who asked for the pod's end did not want it recorded; who removed it had no trace.
      Collector.Span removal =
          spans(collector, s -> s.name().endsWith("/RemovePodSandbox"), 1).getFirst();
      assertThat(removal.parent()).isEmpty();
      assertThat(removal.trace()).isNotEqualTo(TRACE);
      assertThat(collector.spans())
          .noneMatch(s -> s.trace().equals(UNWANTED))
          .filteredOn(s -> s.name().endsWith("/Version"))
          .singleElement()
          .satisfies(s -> assertThat(s.trace()).isEqualTo(TRACE));
    }
  }

  @Test
  void aCollectorThatIsAwayHoldsNobodyUp() throws Exception {
    try (Daemon daemon = Daemon.start("[traces]\nendpoint = 'http://127.0.0.1:1/v1/traces'\n")) {
      Cri cri = daemon.cri();
      PodSandboxConfig pod =
          Cri.pod("alone", NamespaceMode.NODE, daemon.home().resolve("logs")).build();
      String podId = cri.runPod(pod);
      cri.removePod(podId);
      assertThat(cri.runtime().version(VersionRequest.getDefaultInstance()).getRuntimeName())
          .isEqualTo("jrt");
    }
  }
}
