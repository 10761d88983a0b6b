package io.jrt.it;

import static io.jrt.it.TestImage.Packing.GZIP;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Images made of what Debian ships: busybox, nginx, PostgreSQL. */
final class Workloads {
  private static final List<String> PATH =
      List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  private static final String PASSWD =
      """
      root:x:0:0:root:/root:/bin/sh
      daemon:x:1:1:daemon:/usr/sbin:/bin/false
      www-data:x:33:33:www-data:/var/www:/bin/false
      nobody:x:65534:65534:nobody:/home:/bin/false
      """;
  private static final String GROUP =
      """
      root:x:0:
      daemon:x:1:
      tty:x:5:
      www-data:x:33:
      users:x:100:
      nogroup:x:65534:
      """;

  private Workloads() {}

  static Map<String, Object> config(List<String> command) {
    return Map.of("Env", PATH, "Cmd", command);
  }

  static Map<String, Object> config(List<String> command, String user) {
    return Map.of("Env", PATH, "Cmd", command, "User", user);
  }

  /** busybox-static with a hard link for each applet, and the account files of a small system. */
  static byte[] busyboxLayer() throws IOException, InterruptedException {
    LayerBuilder layer = new LayerBuilder();
    for (String directory :
        List.of("bin", "dev", "etc", "home", "proc", "root", "sys", "usr", "usr/bin", "var")) {
      layer.directory(directory, directory.equals("root") ? 0700 : 0755);
    }
    layer.directory("tmp", 01777);
    layer.directory("var/tmp", 01777);
    layer.file("etc/passwd", 0644, PASSWD);
    layer.file("etc/group", 0644, GROUP);
    applets(layer);
    return layer.tar();
  }

  private static void applets(LayerBuilder layer) throws IOException, InterruptedException {
    layer.file("bin/busybox", 0755, Files.readAllBytes(Path.of("/bin/busybox")));
    Process list = new ProcessBuilder("/bin/busybox", "--list").start();
    List<String> names = list.inputReader().lines().map(String::strip).sorted().toList();
    if (list.waitFor() != 0) {
      throw new IOException("busybox --list failed");
    }
    for (String name : names) {
      if (!name.isEmpty() && !name.equals("busybox")) {
        layer.hardLink("bin/" + name, "bin/busybox");
      }
    }
  }

  static TestImage busybox() throws IOException, InterruptedException {
    return TestImage.of(config(List.of("sh")), GZIP, List.of(busyboxLayer()));
  }

  /** busybox and one more file, so that images differ. */
  static TestImage busyboxWith(String name, String content)
      throws IOException, InterruptedException {
    byte[] extra = new LayerBuilder().file(name, 0644, content).tar();
    return TestImage.of(config(List.of("sh")), GZIP, List.of(busyboxLayer(), extra));
  }

  static TestImage busyboxAs(String user) throws IOException, InterruptedException {
    return TestImage.of(config(List.of("sh"), user), GZIP, List.of(busyboxLayer()));
  }

  /**
   * nginx on a port, in the foreground, its pages and logs where Debian's and Docker's have them.
   */
  static TestImage nginx(int port) throws IOException, InterruptedException {
    Path tree = unpacked("nginx");
    LayerBuilder files = new LayerBuilder();
    for (String directory :
        List.of(
            "etc/nginx", "usr/share/nginx", "usr/share/nginx/html", "var/log", "var/log/nginx")) {
      files.directory(directory, 0755);
    }
    files.directory("var/lib", 0755).directory("var/lib/nginx", 0755).directory("run", 0755);
    files.symlink("var/run", "/run");
    files.file(
        "etc/nginx/nginx.conf",
        0644,
        """
        daemon off;
        user root;
        worker_processes 1;
        pid /var/run/nginx.pid;
        error_log stderr;
        events { worker_connections 64; }
        http {
          access_log off;
          server {
            listen %d;
            listen [::]:%d;
            location / { root /usr/share/nginx/html; index index.html; }
          }
        }
        """
            .formatted(port, port));
    files.file(
        "usr/share/nginx/html/index.html",
        0644,
        "<html><head><title>Welcome to nginx!</title></head><body>Welcome to"
            + " nginx!</body></html>\n");
    return TestImage.of(
        config(List.of("/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf")),
        GZIP,
        List.of(busyboxLayer(), new LayerBuilder().tree(tree).tar(), files.tar()));
  }

  /** A web server of busybox that answers as httpd's first page does. */
  static TestImage httpd() throws IOException, InterruptedException {
    byte[] page =
        new LayerBuilder()
            .directory("htdocs", 0755)
            .file("htdocs/index.html", 0644, "<html><body><h1>It works!</h1></body></html>\n")
            .tar();
    return TestImage.of(
        config(List.of("sh", "-c", "echo httpd starts; exec httpd -f -v -p 80 -h /htdocs")),
        GZIP,
        List.of(busyboxLayer(), page));
  }

  /** A set-user-id program that says as whom it runs: what no_new_privs is tried with. */
  static TestImage effectiveUser() throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("jrt-euid");
    Path source = directory.resolve("euid.c");
    Path program = directory.resolve("euid");
    Files.writeString(
        source,
        """
        #include <stdio.h>
        #include <unistd.h>
        int main(void) { printf("Effective uid: %u\\n", geteuid()); return 0; }
        """);
    run("gcc", "-static", "-O1", "-o", program.toString(), source.toString());
    byte[] layer = new LayerBuilder().file("nnp", 04755, Files.readAllBytes(program)).tar();
    Files.delete(program);
    Files.delete(source);
    Files.delete(directory);
    return TestImage.of(config(List.of("/nnp"), "1000"), GZIP, List.of(busyboxLayer(), layer));
  }

  /** A user that the image's own group file puts into one more group. */
  static TestImage predefinedGroup() throws IOException, InterruptedException {
    byte[] accounts =
        new LayerBuilder()
            .file("etc/passwd", 0644, PASSWD + "default-user:x:1000:1000::/home:/bin/sh\n")
            .file(
                "etc/group",
                0644,
                GROUP + "default-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n")
            .tar();
    return TestImage.of(config(List.of("sh"), "1000"), GZIP, List.of(busyboxLayer(), accounts));
  }

  /** A Debian package and its libraries, unpacked once and kept between runs. */
  static Path unpacked(String debianPackage) throws IOException, InterruptedException {
    Path source = Path.of("..").toAbsolutePath().normalize();
    Path tree = source.resolve("integration-tests/target/workloads/" + debianPackage);
    run(source.resolve("dist/dev/workload").toString(), debianPackage, tree.toString());
    return tree;
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + " failed: " + output);
    }
  }
}
