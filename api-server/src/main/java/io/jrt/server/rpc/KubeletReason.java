package io.jrt.server.rpc;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.Optional;

/**
 * A reason that the kubelet knows by its first word and shows in a pod's status.
 *
 * <p>Which one an error is follows from its step, or from the word itself at the beginning of its
 * message.
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

  /** The sentence with the word in front, and only there. */
  String before(String step, String message) {
    String prefix = word + ": ";
    String rest = message.startsWith(prefix) ? message.substring(prefix.length()) : message;
    return prefix + step + ": " + rest;
  }

  static Optional<KubeletReason> of(JrtException error) {
    String step = error.step();
    for (KubeletReason reason : values()) {
      if (String.valueOf(error.getMessage()).startsWith(reason.word + ": ")) {
        return Optional.of(reason);
      }
    }
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
