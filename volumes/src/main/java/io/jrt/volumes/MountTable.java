package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.MountEntry;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The node's mounts as they are now, read once for the mounts of one container. */
final class MountTable {
  private final Kernel kernel;
  private Optional<Map<Integer, MountEntry>> byId = Optional.empty();

  MountTable(Kernel kernel) {
    this.kernel = kernel;
  }

  /** The mount that an open file lies on. */
  MountEntry of(Fd file) {
    int id = mountId(file);
    MountEntry entry = entries().get(id);
    if (entry == null) {
      byId = Optional.empty(); // mounted since
      entry = entries().get(id);
    }
    if (entry == null) {
      throw new JrtException(
          ErrorKind.INTERNAL, "look up mount", "mount %d is not in mountinfo".formatted(id));
    }
    return entry;
  }

  private Map<Integer, MountEntry> entries() {
    if (byId.isEmpty()) {
      Map<Integer, MountEntry> map = new HashMap<>();
      for (MountEntry entry : kernel.mounts().mountInfo()) {
        map.put(entry.id(), entry);
      }
      byId = Optional.of(map);
    }
    return byId.orElseThrow();
  }

  /** The id that mountinfo uses; statx gives another one on newer kernels. */
  private int mountId(Fd file) {
    String info = kernel.files().readString(Fd.CWD, "/proc/thread-self/fdinfo/" + file.value());
    for (String line : info.split("\n")) {
      if (line.startsWith("mnt_id:")) {
        return Integer.parseInt(line.substring("mnt_id:".length()).strip());
      }
    }
    throw new JrtException(
        ErrorKind.INTERNAL, "look up mount", "no mnt_id in the fdinfo of " + file);
  }
}
