package io.jrt.server.admin;

import io.jrt.admin.v1.DoctorResponse;
import io.jrt.admin.v1.Finding;
import io.jrt.admin.v1.Severity;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.RuntimeCondition;
import io.jrt.core.RuntimeInfo;
import io.jrt.image.Image;
import io.jrt.server.config.Configuration;
import io.jrt.server.config.NetworkSection;
import io.jrt.server.image.Images;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Looks at this machine for what would keep containers from running well. */
public final class Doctor {
  /** The first kernel with all of the mount API that jrt uses (mount_setattr, idmapped mounts). */
  private static final int[] LEAST_KERNEL = {5, 12};

  private static final long LEAST_DISK = 1L << 30;

  /** No daemon of this kind was made before. */
  private static final Instant EARLIEST = Instant.parse("2026-01-01T00:00:00Z");

  private final ContainerRuntime runtime;
  private final Images images;
  private final Configuration configuration;

  public Doctor(ContainerRuntime runtime, Images images, Configuration configuration) {
    this.runtime = runtime;
    this.images = images;
    this.configuration = configuration;
  }

  /** All that can be found, which may take the patience for a registry that does not answer. */
  DoctorResponse handle() {
    return machine().addAllFindings(RegistryProbe.findings(registries())).build();
  }

  /** What is found on the machine itself, a line each; quick. */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (Finding finding : machine().build().getFindingsList()) {
      text.append(finding.getSeverity().name().replace("SEVERITY_", "").toLowerCase(Locale.ROOT))
          .append("  ")
          .append(finding.getSubject())
          .append(": ")
          .append(finding.getMessage())
          .append(finding.getRemedy().isEmpty() ? "" : " (" + finding.getRemedy() + ")")
          .append('\n');
    }
    return text.toString();
  }

  /** Where the images that are here came from, and those that have settings of their own. */
  private Set<String> registries() {
    Set<String> names = new TreeSet<>();
    for (Image image : images.list("")) {
      image.repoTags().forEach(tag -> names.add(tag.substring(0, Math.max(0, tag.indexOf('/')))));
    }
    for (Path directory : configuration.current().images().hostsDirs()) {
      try (DirectoryStream<Path> hosts = Files.newDirectoryStream(directory)) {
        hosts.forEach(host -> names.add(String.valueOf(host.getFileName())));
      } catch (IOException none) {
        // A directory that is not there holds nothing.
      }
    }
    names.removeAll(Set.of("", "localhost", "_default"));
    return names;
  }

  private DoctorResponse.Builder machine() {
    DoctorResponse.Builder found = DoctorResponse.newBuilder();
    RuntimeInfo info = runtime.info();
    found.addFindings(kernel());
    found.addFindings(cgroups(info));
    found.addFindings(overlay());
    found.addFindings(forwarding());
    found.addFindings(atLeast("inotify", "fs/inotify/max_user_instances", 512));
    found.addFindings(atLeast("files", "fs/file-max", 65_536));
    found.addFindings(atLeast("processes", "kernel/pid_max", 32_768));
    found.addFindings(atLeast("user namespaces", "user/max_user_namespaces", 1));
    found.addFindings(disk(configuration.current().daemon().root()));
    found.addFindings(disk(configuration.current().daemon().state()));
    found.addFindings(clock());
    found.addFindings(network(configuration.current().network()));
    runtime.conditions().stream().map(Doctor::condition).forEach(found::addFindings);
    info.protections().stream().map(text -> good("rights", text)).forEach(found::addFindings);
    info.limitations().stream()
        .map(text -> warning("rights", text, "give jrtd the capability it lacks, if it matters"))
        .forEach(found::addFindings);
    return found;
  }

  private static Finding network(NetworkSection network) {
    if (!network.provider().equals("cni")) {
      return good("network", "provider " + network.provider());
    }
    String conf = with(network.cni().confDirs(), "*.{conf,conflist,json}");
    String bin = with(network.cni().binDirs(), "*");
    if (bin.isEmpty()) {
      return bad(
          "network",
          "no CNI plug-in in " + network.cni().binDirs(),
          "install them (containernetworking-plugins), or set network.cni.bin-dirs");
    }
    return conf.isEmpty()
        ? bad(
            "network",
            "no CNI configuration in " + network.cni().confDirs(),
            "install the cluster's network, or set network.cni.conf-dirs")
        : good("network", "CNI configuration in " + conf + ", plug-ins in " + bin);
  }

  /** The first of the directories that has such a file; empty when none has. */
  private static String with(List<Path> directories, String files) {
    for (Path directory : directories) {
      try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, files)) {
        if (found.iterator().hasNext()) {
          return directory.toString();
        }
      } catch (IOException none) {
        // A directory that is not there holds nothing.
      }
    }
    return "";
  }

  private static Finding kernel() {
    String version = System.getProperty("os.version");
    String[] parts = version.split("[.-]", 3);
    boolean enough = false;
    if (parts.length > 1 && parts[0].matches("\\d+") && parts[1].matches("\\d+")) {
      int major = Integer.parseInt(parts[0]);
      int minor = Integer.parseInt(parts[1]);
      enough = major > LEAST_KERNEL[0] || (major == LEAST_KERNEL[0] && minor >= LEAST_KERNEL[1]);
    }
    return enough
        ? good("kernel", "Linux " + version)
        : bad(
            "kernel",
            "Linux " + version + " lacks parts of the mount API",
            "boot Linux 5.12 or newer");
  }

  private static Finding cgroups(RuntimeInfo info) {
    String what = "cgroup v%d, driver %s".formatted(info.cgroupVersion(), info.cgroupDriver());
    return info.cgroupVersion() == 2
        ? good("cgroups", what)
        : warning(
            "cgroups",
            what + ": Kubernetes is leaving it, and pressure and OOM groups are not to be had",
            "boot with systemd.unified_cgroup_hierarchy=1");
  }

  private static Finding overlay() {
    return text("/proc/filesystems").contains("overlay")
        ? good("overlay", "the kernel has overlayfs")
        : bad("overlay", "the kernel has no overlayfs loaded", "modprobe overlay");
  }

  private static Finding forwarding() {
    return text("/proc/sys/net/ipv4/ip_forward").equals("1")
        ? good("forwarding", "net.ipv4.ip_forward is 1")
        : warning(
            "forwarding",
            "net.ipv4.ip_forward is 0: pods reach no other machine",
            "sysctl -w net.ipv4.ip_forward=1, and the same in /etc/sysctl.d");
  }

  private static Finding atLeast(String subject, String key, long least) {
    String name = key.replace('/', '.');
    String value = text("/proc/sys/" + key);
    if (!value.matches("\\d{1,19}")) {
      return warning(subject, name + " cannot be read", "");
    }
    return value.length() == 19 || Long.parseLong(value) >= least
        ? good(subject, name + " is " + value)
        : warning(
            subject,
            "%s is %s; many pods need %d".formatted(name, value, least),
            "sysctl -w %s=%d, and the same in /etc/sysctl.d".formatted(name, least));
  }

  private static Finding disk(Path directory) {
    try {
      FileStore store = Files.getFileStore(directory);
      long free = store.getUsableSpace();
      long percent = 100 * free / Math.max(1, store.getTotalSpace());
      String what = "%s has %d MiB free (%d%%)".formatted(directory, free >> 20, percent);
      if (free < LEAST_DISK >> 4) {
        return bad("disk", what, "make room: jrt prune --images --containers");
      }
      return free < LEAST_DISK || percent < 10
          ? warning("disk", what, "make room: jrt prune --images --containers")
          : good("disk", what);
    } catch (IOException e) {
      return bad("disk", directory + " cannot be asked: " + e.getMessage(), "look at its mount");
    }
  }

  private static Finding clock() {
    Instant now = Instant.now();
    return now.isBefore(EARLIEST)
        ? bad("clock", "it is said to be " + now + ": certificates fail", "set the clock")
        : good("clock", "it is " + now);
  }

  private static Finding condition(RuntimeCondition condition) {
    return condition.status()
        ? good(condition.type(), condition.message().isEmpty() ? "yes" : condition.message())
        : bad(
            condition.type(),
            Optional.of(condition.message())
                .filter(message -> !message.isEmpty())
                .orElse(condition.reason()),
            "jrtd's log says more");
  }

  private static String text(String file) {
    // Files.readString asks such files for a byte first, and they give no more after that.
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      return new String(in.readNBytes(8192), StandardCharsets.US_ASCII).strip();
    } catch (IOException e) {
      return "";
    }
  }

  static Finding good(String subject, String message) {
    return finding(subject, Severity.SEVERITY_GOOD, message, "");
  }

  static Finding warning(String subject, String message, String remedy) {
    return finding(subject, Severity.SEVERITY_WARNING, message, remedy);
  }

  private static Finding bad(String subject, String message, String remedy) {
    return finding(subject, Severity.SEVERITY_BAD, message, remedy);
  }

  private static Finding finding(String subject, Severity severity, String message, String remedy) {
    return Finding.newBuilder()
        .setSubject(subject)
        .setSeverity(severity)
        .setMessage(message)
        .setRemedy(remedy)
        .build();
  }
}
