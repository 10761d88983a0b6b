package io.jrt.volumes;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.MountAttributes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A directory with mounts, processes and loop devices that are all gone at the end of a test. */
final class Node implements AutoCloseable {
  final Kernel kernel = Kernel.open();
  final Path root;
  private final Deque<Runnable> undo = new ArrayDeque<>();

  Node() throws IOException {
    root = Files.createTempDirectory("jrt-volumes-" + ProcessHandle.current().pid() + "-");
    tmpfs("."); // so that nothing that is mounted below can reach the machine's own mounts
  }

  Path directory(String name) throws IOException {
    return Files.createDirectories(root.resolve(name));
  }

  Path file(String name, String content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.resolveSibling("."));
    return Files.writeString(file, content);
  }

  /** A tmpfs mounted there, private. */
  Path tmpfs(String name) throws IOException {
    Path place = directory(name).normalize();
    try (Fd mount = kernel.mounts().tmpfs(Map.of("mode", "755"), 0)) {
      kernel.mounts().attach(mount, place);
    }
    undo.push(() -> kernel.mounts().detach(place));
    kernel
        .mounts()
        .setAttributes(place, MountAttributes.NONE.with(io.jrt.linux.Propagation.PRIVATE), false);
    return place;
  }

  Path shared(String name) throws IOException {
    Path place = tmpfs(name);
    kernel
        .mounts()
        .setAttributes(place, MountAttributes.NONE.with(io.jrt.linux.Propagation.SHARED), false);
    return place;
  }

  /** Attaches it as a container would have it, on a new file or directory. */
  Path attach(PreparedMount mount, String name) throws IOException {
    Path place = root.resolve(name);
    if (mount.directory()) {
      Files.createDirectories(place);
    } else {
      file(name, "");
    }
    kernel.mounts().attach(mount.mount(), place);
    undo.push(() -> kernel.mounts().detach(place));
    return place;
  }

  /** A file system image mounted through a loop device, or an answer that there is no tool. */
  Path image(String name, List<String> mkfs, String options) throws Exception {
    Path image = root.resolve(name + ".img");
    try (var file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(400L << 20);
    }
    run(Stream.concat(mkfs.stream(), Stream.of(image.toString())).toList());
    Path place = directory(name);
    run(List.of("mount", "-o", "loop" + options, image.toString(), place.toString()));
    undo.push(() -> kernel.mounts().detach(place));
    return place;
  }

  /** A process in a user namespace of its own, whose ids begin at 100000; ends with the node. */
  Fd userNamespace() throws Exception {
    Process process = new ProcessBuilder("unshare", "-U", "sleep", "60").start();
    undo.push(process::destroyForcibly);
    Path theirs = Path.of("/proc/" + process.pid() + "/ns/user");
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (Files.readSymbolicLink(theirs)
        .equals(Files.readSymbolicLink(Path.of("/proc/self/ns/user")))) {
      if (System.nanoTime() > until) {
        throw new IOException("no user namespace");
      }
      Thread.sleep(5);
    }
    Files.writeString(Path.of("/proc/" + process.pid() + "/uid_map"), "0 100000 65536");
    Files.writeString(Path.of("/proc/" + process.pid() + "/gid_map"), "0 100000 65536");
    Fd namespace = kernel.namespaces().open(theirs);
    undo.push(namespace::close);
    return namespace;
  }

  void atEnd(Runnable action) {
    undo.push(action);
  }

  static void run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException(command + ": " + output);
    }
  }

  static boolean has(String tool) {
    return Stream.of("/usr/sbin/", "/sbin/", "/usr/bin/")
        .anyMatch(dir -> Files.isExecutable(Path.of(dir + tool)));
  }

  /** How many descriptors this process has open. */
  static long descriptors() throws IOException {
    try (Stream<Path> list = Files.list(Path.of("/proc/self/fd"))) {
      return list.count();
    }
  }

  @Override
  public void close() throws IOException {
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
    try (Stream<Path> files = Files.walk(root)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
