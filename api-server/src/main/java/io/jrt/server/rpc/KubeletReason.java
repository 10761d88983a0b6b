package io.jrt.server.rpc;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.Optional;

/**
 * A reason that the kubelet knows by its first word and shows in a pod's status.
 *
 * <p>Which one an error is follows from its step, because the modules below know nothing of the
 * kubelet.
 */
enum KubeletReason {
  REGISTRY_UNAVAILABLE("RegistryUnavailable"),
  SIGNATURE_VALIDATION_FAILED("SignatureValidationFailed"),
  RRO_UNSUPPORTED("RROUnsupported"),
  IMAGE_VOLUME_MOUNT_FAILED("ImageVolumeMountFailed");

  private final String word;

  KubeletReason(String word) {
    this.word = word;
  }

  String word() {
    return word;
  }

  static Optional<KubeletReason> of(JrtException error) {
    String step = error.step();
    if (step.contains("signature")) {
      return Optional.of(SIGNATURE_VALIDATION_FAILED);
    }
    if (step.contains("recursive read-only") && error.kind() == ErrorKind.UNIMPLEMENTED) {
      return Optional.of(RRO_UNSUPPORTED);
    }
    if (step.contains("image volume")) {
      return Optional.of(IMAGE_VOLUME_MOUNT_FAILED);
    }
    boolean registry =
        step.contains("registry") || step.startsWith("pull") || step.startsWith("resolve image");
    return registry && error.kind() == ErrorKind.UNAVAILABLE
        ? Optional.of(REGISTRY_UNAVAILABLE)
        : Optional.empty();
  }
}
