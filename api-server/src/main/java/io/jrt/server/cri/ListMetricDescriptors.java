package io.jrt.server.cri;

import io.jrt.cri.v1.ListMetricDescriptorsRequest;
import io.jrt.cri.v1.ListMetricDescriptorsResponse;

/** The metrics that ListPodSandboxMetrics may give. */
final class ListMetricDescriptors {
  ListMetricDescriptorsResponse handle(ListMetricDescriptorsRequest request) {
    return ListMetricDescriptorsResponse.newBuilder()
        .addAllDescriptors(PodMetrics.descriptors())
        .build();
  }
}
