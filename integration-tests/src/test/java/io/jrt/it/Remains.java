package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What a running daemon without pods and images must not have: files, rules, descriptors. */
final class Remains {
  private static final List<String> PLACES =
      List.of(
          "root/pods",
          "root/containers",
          "root/images/images",
          "root/images/layers",
          "root/images/snapshots",
          "root/images/blobs/sha256",
          "root/images/tmp",
          "root/images/ingest",
          "state/intents",
          "state/pods",
          "state/containers",
          "state/network/bridge");

  private Remains() {}

  /** Waits a while for what goes in the background, and answers what stays. */
  static List<String> of(Daemon daemon, String address) throws IOException {
    return await(daemon, address, PLACES);
  }

  /** The same of a daemon that keeps its images. */
  static List<String> besidesImages(Daemon daemon) throws IOException {
    return await(
        daemon,
        "",
        PLACES.stream()
            .filter(place -> !place.startsWith("root/images") || place.endsWith("snapshots"))
            .toList());
  }

  private static List<String> await(Daemon daemon, String address, List<String> places)
      throws IOException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    List<String> remains = look(daemon, address, places);
    while (!remains.isEmpty() && System.nanoTime() < end) {
      Daemon.sleep(50);
      remains = look(daemon, address, places);
    }
    return remains;
  }

  private static List<String> look(Daemon daemon, String address, List<String> places)
      throws IOException {
    List<String> remains = new ArrayList<>(daemon.leaks());
    for (String place : places) {
      Path directory = daemon.home().resolve(place);
      if (Files.isDirectory(directory)) {
        try (Stream<Path> entries = Files.list(directory)) {
          entries
              .filter(entry -> !entry.endsWith("last"))
              .forEach(entry -> remains.add("file " + entry));
        }
      }
    }
    String table = rules(daemon);
    if (!address.isEmpty()
        && table.lines().anyMatch(line -> line.matches(".*\\b" + address + "\\b.*"))) {
      remains.add("address " + address + " in " + table);
    }
    if (table.contains(Integer.toString(PodLife.HOST_PORT))) {
      remains.add("host port in " + table);
    }
    return remains;
  }

  private static String rules(Daemon daemon) throws IOException {
    Process list =
        new ProcessBuilder(
                "nft",
                "list",
                "table",
                "inet",
                "jrt-" + Leaks.instance(daemon.home().resolve("root")))
            .redirectErrorStream(true)
            .start();
    String text = new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      list.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return text;
  }

  /** What those descriptors of a process are whose names hold a text. */
  static List<String> descriptorsOf(long pid, String text) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      for (Path each : all.toList()) {
        try {
          String name = Files.readSymbolicLink(each).toString();
          if (name.contains(text)) {
            found.add(name);
          }
        } catch (NoSuchFileException closed) {
          // closed in the meantime
        }
      }
    }
    return found;
  }

  /** Waits until a process has none with this text open: it may close one after it has answered. */
  static void awaitClosed(long pid, String text) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    for (List<String> open = descriptorsOf(pid, text);
        !open.isEmpty();
        open = descriptorsOf(pid, text)) {
      assertThat(System.nanoTime()).as("still open: %s", open).isLessThan(end);
      Daemon.sleep(20);
    }
  }

  /** How many descriptors a process has open. */
  static long descriptors(long pid) {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      return all.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How much memory of a process is in use, shared pages among it. */
  static long residentBytes(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no VmRSS of " + pid);
  }
}
