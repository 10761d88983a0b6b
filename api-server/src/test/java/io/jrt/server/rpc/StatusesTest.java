package io.jrt.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class StatusesTest {

  @ParameterizedTest
  @CsvSource({
    "NOT_FOUND, NOT_FOUND",
    "INVALID, INVALID_ARGUMENT",
    "DENIED, PERMISSION_DENIED",
    "NO_SPACE, RESOURCE_EXHAUSTED",
    "DEADLINE, DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION, FAILED_PRECONDITION",
  })
  void kindIsCode(ErrorKind kind, Status.Code code) {
    assertThat(Statuses.of(new JrtException(kind, "step", "message")).getCode()).isEqualTo(code);
  }

  @ParameterizedTest
  @EnumSource(ErrorKind.class)
  void everyKindHasACode(ErrorKind kind) {
    assertThat(Statuses.of(new JrtException(kind, "step", "message")).getDescription())
        .isEqualTo("step: message");
  }

  @ParameterizedTest
  @CsvSource({
    "UNAVAILABLE, pull image, registry r:5000 does not answer,"
        + " RegistryUnavailable: pull image: registry r:5000 does not answer",
    "DENIED, check signature, no key fits,"
        + " SignatureValidationFailed: check signature: no key fits",
    "UNIMPLEMENTED, recursive read-only mount, kernel 5.10 is too old,"
        + " RROUnsupported: recursive read-only mount: kernel 5.10 is too old",
    "FAILED_PRECONDITION, prepare mount, ImageVolumeMountFailed: image x: gone,"
        + " ImageVolumeMountFailed: prepare mount: image x: gone",
  })
  void theKubeletFindsItsWordInFront(ErrorKind kind, String step, String message, String told) {
    assertThat(Statuses.of(new JrtException(kind, step, message)).getDescription()).isEqualTo(told);
  }

  @Test
  void aFaultIsInternalAndSaysSo() {
    Status status = Statuses.of(new IllegalStateException("oops"));
    assertThat(status.getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(status.getDescription()).contains("a fault of jrt itself").contains("oops");
  }
}
