package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.cri.v1.StatusRequest;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code jrt doctor} and a verbose Status find. */
class DoctorIT {
  @TempDir private Path directory;

  @Test
  void aNodeWithoutPluginsIsToldWhatToDo() throws Exception {
    try (Daemon daemon =
        Daemon.start(
            """
            [network]
            provider = "cni"
            [network.cni]
            conf-dirs = ["%1$s/none"]
            bin-dirs = ["%1$s/none"]
            """
                .formatted(directory))) {
      Daemon.Result found = daemon.jrt("doctor");
      assertThat(found.code()).as("something is bad").isNotZero();
      assertThat(found.out())
          .contains("no CNI plug-in in")
          .contains("network.cni.bin-dirs")
          .contains("NetworkReady");
      assertThat(
              daemon
                  .cri()
                  .runtime()
                  .status(StatusRequest.newBuilder().setVerbose(true).build())
                  .getInfoOrThrow("doctor"))
          .contains("bad  network: no CNI plug-in in")
          .contains("kernel: Linux ");
    }
  }

  @Test
  void registriesThatImagesCameFromAreTried() throws Exception {
    try (Daemon daemon = Daemon.start(Daemon.ownRange())) {
      String host;
      try (LocalRegistry registry = LocalRegistry.start(directory)) {
        String image = registry.push("it/doctor", "1", Workloads.httpd());
        daemon.jrt("pull", "-q", image).ok();
        host = image.substring(0, image.indexOf('/'));
        assertThat(daemon.jrt("doctor").out()).contains(host + " can be reached");
      }
      assertThat(daemon.jrt("doctor").out()).contains(host + " cannot be reached: ");
    }
  }
}
