package io.jrt.it;

import static io.jrt.it.TestImage.Packing.GZIP;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The images that the public CRI validation suite pulls, in our own make: same names, same
 * behaviour, so that it runs without the outside. A daemon finds them through a mirror entry for
 * the registries they are named after.
 */
final class CritestImages {
  private CritestImages() {}

  static Map<String, TestImage> all() throws IOException, InterruptedException {
    Map<String, TestImage> images = new LinkedHashMap<>();
    images.put("e2e-test-images/busybox:1.29-2", busybox());
    images.put("e2e-test-images/nginx:1.14-2", Workloads.nginx(80));
    images.put("e2e-test-images/httpd:2.4.39-4", Workloads.httpd());
    images.put("e2e-test-images/nonewprivs:1.3", Workloads.effectiveUser());
    images.put("pause:3.9", Workloads.busyboxWith("pause.txt", "pause"));
    // Three tags of one image that has no other name.
    TestImage tagged = Workloads.busyboxWith("t", "tags");
    String staging = "k8s-staging-cri-tools/";
    images.put(
        staging + "hostnet-nginx-" + TestImage.architecture() + ":latest", Workloads.nginx(12003));
    images.put(staging + "test-image-user-uid:latest", Workloads.busyboxAs("1002"));
    images.put(staging + "test-image-user-username:latest", Workloads.busyboxAs("www-data"));
    images.put(staging + "test-image-user-uid-group:latest", Workloads.busyboxAs("1003:users"));
    images.put(
        staging + "test-image-user-username-group:latest", Workloads.busyboxAs("www-data:100"));
    images.put(staging + "test-image-predefined-group:latest", Workloads.predefinedGroup());
    images.put(staging + "test-image-latest:latest", Workloads.busyboxWith("t", "latest"));
    images.put(staging + "test-image-tag:test", Workloads.busyboxWith("t", "tag test"));
    images.put(staging + "test-image-tag:all", Workloads.busyboxWith("t", "tag all"));
    images.put(staging + "test-image-digest:latest", Workloads.busyboxWith("t", "digest"));
    for (int i = 1; i <= 3; i++) {
      images.put(staging + "test-image-" + i + ":latest", Workloads.busyboxWith("t", "image " + i));
      images.put(staging + "test-image-tags:" + i, tagged);
    }
    return images;
  }

  /** busybox with the two applets of the suite's image that Debian leaves out. */
  private static TestImage busybox() throws IOException, InterruptedException {
    byte[] applets =
        new LayerBuilder()
            .file(
                "bin/pgrep",
                0755,
                """
                #!/bin/sh
                for process in /proc/[0-9]*; do
                  { read -r name <"$process/comm"; } 2>/dev/null || continue
                  [ "$name" != "$1" ] || echo "${process#/proc/}"
                done
                """)
            .file("bin/sh", 0755, shellThatLooksForLs())
            .file("bin/ipcs", 0755, "#!/bin/sh\nexec cat /proc/sysvipc/shm\n")
            .tar();
    return TestImage.of(
        Workloads.config(List.of("sh")), GZIP, List.of(Workloads.busyboxLayer(), applets));
  }

  /**
   * busybox's shell as a file of its own. Debian's runs applets without looking for their files,
   * which the original does not; here ls is taken from its list, so that a masked one is missed.
   */
  private static byte[] shellThatLooksForLs() throws IOException {
    byte[] program = Files.readAllBytes(Path.of("/bin/busybox"));
    byte[] names = TestImage.utf8("\0ls\0ls");
    for (int at = 0; at + names.length <= program.length; at++) {
      if (Arrays.equals(program, at, at + names.length, names, 0, names.length)) {
        program[at + 2] = 'r'; // keeps the order of the list
        return program;
      }
    }
    return program;
  }
}
