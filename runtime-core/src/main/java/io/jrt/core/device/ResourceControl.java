package io.jrt.core.device;

import io.jrt.core.device.CdiEdits.IntelRdt;
import io.jrt.core.device.DeviceInjection.OriginRdt;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Classes of cache and memory bandwidth (Intel RDT, AMD QoS), as resctrl makes them: a directory
 * for each, with the shares in {@code schemata} and the processes in {@code tasks}.
 */
public final class ResourceControl {
  private static final String STEP = "set cache and memory bandwidth";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.:-]{1,200}");

  private final Path root;

  /**
   * @param root where resctrl is mounted, usually {@code /sys/fs/resctrl}
   */
  public ResourceControl(Path root) {
    this.root = root;
  }

  /**
   * What a container uses.
   *
   * @param group the directory of its class
   * @param own whether the class is its own and goes with it
   * @param monitor whether it is measured by itself
   */
  public record Group(String group, boolean own, boolean monitor) {}

  /** Decides which class a container gets; nothing is made yet. */
  public Group plan(OriginRdt asked, String containerId) {
    IntelRdt rdt = asked.rdt();
    if (!Files.exists(root.resolve("schemata"))) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "%s needs intelRdt, and no resctrl is mounted on %s".formatted(asked.origin(), root),
          "mount -t resctrl resctrl " + root,
          null);
    }
    if (rdt.closId().equals("/")) {
      return new Group(root.toString(), false, rdt.enableMonitoring());
    }
    String name = rdt.closId().isEmpty() ? containerId : rdt.closId();
    if (!NAME.matcher(name).matches() || name.equals(".") || name.equals("..")) {
      throw invalid(asked, "has the closID \"%s\", which is not allowed".formatted(name));
    }
    Path group = root.resolve(name);
    boolean there = Files.isDirectory(group);
    if (!there && !rdt.closId().isEmpty() && shares(rdt).isEmpty()) {
      throw invalid(asked, "names the class %s, which is not there".formatted(group));
    }
    return new Group(group.toString(), !there, rdt.enableMonitoring());
  }

  private static List<String> shares(IntelRdt rdt) {
    List<String> lines = new ArrayList<>(rdt.schemata());
    for (String line : List.of(rdt.l3CacheSchema(), rdt.memBwSchema())) {
      if (!line.isEmpty()) {
        lines.addAll(line.lines().toList());
      }
    }
    return lines;
  }

  /** Puts a process, and those it starts, into the class. */
  public void apply(OriginRdt asked, Group planned, String containerId, int pid) {
    Path group = Path.of(planned.group());
    try {
      if (planned.own()) {
        make(group);
        for (String line : shares(asked.rdt())) {
          write(group.resolve("schemata"), line);
        }
      } else {
        checkShares(asked, group);
      }
      write(group.resolve("tasks"), Integer.toString(pid));
      if (planned.monitor()) {
        Path monitor = make(group.resolve("mon_groups").resolve(containerId));
        write(monitor.resolve("tasks"), Integer.toString(pid));
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "%s: the class %s refuses %s: %s".formatted(asked.origin(), group, asked.rdt(), e),
          e);
    }
  }

  /** A class that others made is used as it is; it must be what was asked for. */
  private static void checkShares(OriginRdt asked, Path group) throws IOException {
    List<String> now =
        Files.readAllLines(group.resolve("schemata")).stream()
            .map(line -> line.replace(" ", ""))
            .toList();
    for (String line : shares(asked.rdt())) {
      if (!now.contains(line.replace(" ", ""))) {
        throw invalid(asked, "asks for %s, and the class %s has %s".formatted(line, group, now));
      }
    }
  }

  private static Path make(Path directory) throws IOException {
    try {
      return Files.createDirectory(directory);
    } catch (FileAlreadyExistsException there) {
      return directory; // from a start that did not come to an end
    }
  }

  /** As resctrl wants it: one write of one line. */
  private static void write(Path file, String line) throws IOException {
    Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  /** Takes away what was the container's own. */
  public void remove(Group group, String containerId) {
    Path directory = Path.of(group.group());
    if (group.monitor()) {
      remove(directory.resolve("mon_groups").resolve(containerId));
    }
    if (group.own()) {
      remove(directory);
    }
  }

  private static void remove(Path directory) {
    try {
      Files.delete(directory);
    } catch (NoSuchFileException gone) {
      // never made, or taken away before
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, STEP, "cannot remove %s: %s".formatted(directory, e), e);
    }
  }

  private static JrtException invalid(OriginRdt asked, String what) {
    return new JrtException(ErrorKind.INVALID, STEP, asked.origin() + " " + what);
  }
}
