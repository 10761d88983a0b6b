package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.At;
import io.jrt.linux.DeviceNumber;
import io.jrt.linux.DirectoryEntry;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileType;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Stat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Which device files a container gets and what the device controller lets it do with them. */
final class Devices {
  private static final String STEP = "prepare devices";
  private static final Path DEV = Path.of("/dev");
  private static final Pattern ACCESS = Pattern.compile("[rwm]{1,3}");
  private static final int MAX_DEPTH = 16;

  /** Parts of a node's /dev that are not devices, or are made anew in a container. */
  private static final Set<String> SKIPPED =
      Set.of(
          "pts",
          "ptmx",
          "shm",
          "fd",
          "mqueue",
          "hugepages",
          "console",
          ".lxc",
          ".lxd-mounts",
          ".udev");

  /**
   * What every container may use: making nodes (which gives no access to them), the harmless
   * devices, terminals, and tun.
   */
  static final List<DeviceRule> BASELINE =
      List.of(
          new DeviceRule(false, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm"),
          new DeviceRule(true, 'c', DeviceRule.ANY, DeviceRule.ANY, "m"),
          new DeviceRule(true, 'b', DeviceRule.ANY, DeviceRule.ANY, "m"),
          new DeviceRule(true, 'c', 1, 3, "rwm"), // null
          new DeviceRule(true, 'c', 1, 5, "rwm"), // zero
          new DeviceRule(true, 'c', 1, 7, "rwm"), // full
          new DeviceRule(true, 'c', 1, 8, "rwm"), // random
          new DeviceRule(true, 'c', 1, 9, "rwm"), // urandom
          new DeviceRule(true, 'c', 5, 0, "rwm"), // tty
          new DeviceRule(true, 'c', 5, 1, "rwm"), // console
          new DeviceRule(true, 'c', 5, 2, "rwm"), // ptmx
          new DeviceRule(true, 'c', 136, DeviceRule.ANY, "rwm"), // pts
          new DeviceRule(true, 'c', 10, 200, "rwm")); // tun

  private final Files files;

  Devices(Files files) {
    this.files = files;
  }

  static List<DeviceRule> rules(boolean privileged) {
    return privileged
        ? List.of(new DeviceRule(true, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm"))
        : BASELINE;
  }

  DeviceGrant grant(List<DeviceRequest> requests, boolean privileged) {
    List<DeviceNode> nodes = new ArrayList<>();
    List<DeviceRule> rules = new ArrayList<>(rules(privileged));
    if (privileged) {
      collect(DEV, DEV.toString(), 0, nodes);
    }
    for (DeviceRequest request : requests) {
      List<DeviceNode> asked = resolve(request);
      String access = request.permissions().isEmpty() ? "rwm" : request.permissions();
      if (!ACCESS.matcher(access).matches()) {
        throw new JrtException(
            ErrorKind.INVALID,
            STEP,
            "device %s: permissions \"%s\" are not of r, w and m"
                .formatted(request.hostPath(), access));
      }
      for (DeviceNode node : asked) {
        nodes.removeIf(n -> n.path().equals(node.path()));
        nodes.add(node);
        if (!privileged) {
          rules.add(new DeviceRule(true, node.type(), node.major(), node.minor(), access));
        }
      }
    }
    return new DeviceGrant(nodes, rules);
  }

  private List<DeviceNode> resolve(DeviceRequest request) {
    Path host = Path.of(request.hostPath());
    String inside =
        request.containerPath().isEmpty() ? request.hostPath() : request.containerPath();
    if (!host.isAbsolute() || !inside.startsWith("/") || hasDots(inside)) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "device %s on %s: both must be absolute paths without \"..\"".formatted(host, inside));
    }
    Stat stat;
    try (Fd file = files.open(host, OpenFlags.O_PATH)) {
      stat = files.fstat(file);
    } catch (KernelException e) {
      throw new JrtException(
          e.is(Errno.ENOENT, Errno.ENOTDIR) ? ErrorKind.NOT_FOUND : ErrorKind.INVALID,
          STEP,
          "cannot use device %s: %s".formatted(host, e.errno()),
          e);
    }
    List<DeviceNode> found = new ArrayList<>();
    if (stat.isDirectory()) {
      collect(host, inside, 0, found);
    } else if (isDevice(stat.type())) {
      found.add(node(inside, host, stat));
    } else {
      throw new JrtException(ErrorKind.INVALID, STEP, host + " is not a device");
    }
    return found;
  }

  private void collect(Path directory, String inside, int depth, List<DeviceNode> found) {
    try (Fd dir = files.openDirectory(directory)) {
      for (DirectoryEntry entry : files.list(dir)) {
        String name = entry.name().toString();
        if (SKIPPED.contains(name)) {
          continue;
        }
        Path path = directory.resolve(name);
        Stat stat = files.fstatat(dir, entry.name().bytes(), At.AT_SYMLINK_NOFOLLOW);
        if (stat.isDirectory() && depth < MAX_DEPTH) {
          collect(path, inside + "/" + name, depth + 1, found);
        } else if (isDevice(stat.type())) {
          found.add(node(inside + "/" + name, path, stat));
        }
      }
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT)) { // unplugged meanwhile
        throw new JrtException(
            ErrorKind.INTERNAL, STEP, "cannot list %s: %s".formatted(directory, e.errno()), e);
      }
    }
  }

  private static DeviceNode node(String inside, Path source, Stat stat) {
    return new DeviceNode(
        inside,
        source,
        stat.type() == FileType.BLOCK_DEVICE ? 'b' : 'c',
        Integer.toUnsignedLong(DeviceNumber.major(stat.rdev())),
        Integer.toUnsignedLong(DeviceNumber.minor(stat.rdev())),
        stat.permissions(),
        Integer.toUnsignedLong(stat.uid()),
        Integer.toUnsignedLong(stat.gid()));
  }

  private static boolean isDevice(FileType type) {
    return type == FileType.CHARACTER_DEVICE || type == FileType.BLOCK_DEVICE;
  }

  private static boolean hasDots(String path) {
    for (Path part : Path.of(path)) {
      if (part.toString().equals("..")) {
        return true;
      }
    }
    return false;
  }
}
