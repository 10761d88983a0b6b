package io.jrt.cli;

import io.jrt.admin.v1.CdiDeviceInfo;
import io.jrt.admin.v1.ListCdiRequest;
import io.jrt.admin.v1.ListCdiResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What GPUs are called in full. */
final class GpuNames {
  private static final List<String> KINDS =
      List.of("nvidia.com/gpu", "amd.com/gpu", "intel.com/gpu");

  private GpuNames() {}

  /**
   * The CDI name of a GPU of this node; NVIDIA's when it is not known, so that an error says it.
   */
  static String of(Session session, String gpu) {
    ListCdiResponse known;
    try {
      known =
          session
              .daemon()
              .admin("ListCdi", ListCdiRequest.getDefaultInstance(), ListCdiResponse.parser());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return choose(
        gpu,
        known.getDevicesList().stream().map(CdiDeviceInfo::getName).collect(Collectors.toSet()));
  }

  static String choose(String gpu, Set<String> known) {
    return KINDS.stream()
        .map(kind -> kind + "=" + gpu)
        .filter(known::contains)
        .findFirst()
        .orElse(KINDS.getFirst() + "=" + gpu);
  }
}
