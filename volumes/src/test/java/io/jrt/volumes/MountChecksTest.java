package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountChecksTest {
  private static final MountContext CONTEXT = MountContext.of("c");
  private static final MountSource HOST = new MountSource.HostPath(Path.of("/x"));

  private static MountRequest request(
      MountSource source,
      boolean readOnly,
      boolean recursive,
      Propagation propagation,
      boolean idMapped,
      List<String> options) {
    return new MountRequest(
        source, "/d", readOnly, recursive, propagation, false, idMapped, options);
  }

  private static void refused(MountRequest request, String message) {
    assertThatThrownBy(() -> MountPreparer.check(request, CONTEXT)).hasMessage(message);
  }

  @Test
  void recursiveReadOnlyNeedsReadOnlyAndPrivate() {
    refused(
        request(HOST, false, true, Propagation.PRIVATE, false, List.of()),
        "RROUnsupported: recursive read-only mount /d is not read-only");
    refused(
        request(HOST, true, true, Propagation.HOST_TO_CONTAINER, false, List.of()),
        "RROUnsupported: recursive read-only mount /d has propagation HOST_TO_CONTAINER, not"
            + " PRIVATE");
    assertThatCode(
            () ->
                MountPreparer.check(
                    request(HOST, true, true, Propagation.PRIVATE, false, List.of()), CONTEXT))
        .doesNotThrowAnyException();
  }

  @Test
  void idMapsNeedAUserNamespace() {
    refused(
        request(HOST, false, false, Propagation.PRIVATE, true, List.of()),
        "mount /d has id maps, but the pod has no user namespace");
  }

  @Test
  void onlyPathsOfTheNodePropagate() {
    refused(
        request(
            new MountSource.Tmpfs(0, 0755),
            false,
            false,
            Propagation.BIDIRECTIONAL,
            false,
            List.of()),
        "mount /d: propagation BIDIRECTIONAL needs a path of the node");
  }

  @Test
  void unknownOptionsAreNamed() {
    refused(
        request(HOST, false, false, Propagation.PRIVATE, false, List.of("nosuid", "lazy")),
        "mount option \"lazy\" of /d is unknown");
  }
}
