package io.jrt.server.cri;

import io.jrt.cri.v1.VersionRequest;
import io.jrt.cri.v1.VersionResponse;

/** Who answers, and in which version. */
final class Version {
  private final String version;

  Version(String version) {
    this.version = version;
  }

  VersionResponse handle(VersionRequest request) {
    return VersionResponse.newBuilder()
        .setVersion("0.1.0")
        .setRuntimeName("jrt")
        .setRuntimeVersion(version)
        .setRuntimeApiVersion("v1")
        .build();
  }
}
