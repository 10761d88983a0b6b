package io.jrt.core.cgroup;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The meters of the cgroups that are asked about, kept open from one question to the next. Of many
 * the one that was not asked longest is closed, so that a node with a thousand containers does not
 * run out of descriptors.
 */
public final class Meters implements AutoCloseable {
  private final CgroupManager manager;
  private final int capacity;
  private final Map<String, CgroupMeter> open = new LinkedHashMap<>(16, 0.75f, true);
  private boolean closed;

  /**
   * @param capacity how many cgroups are held open; each takes about twenty descriptors
   */
  public Meters(CgroupManager manager, int capacity) {
    this.manager = manager;
    this.capacity = capacity;
  }

  /** Present use of a cgroup; empty when it does not exist. */
  public Optional<CgroupStats> read(String path) {
    CgroupMeter meter;
    synchronized (open) {
      meter = open.get(path);
    }
    if (meter != null) {
      Optional<CgroupStats> stats = meter.read();
      if (stats.isPresent()) {
        return stats;
      }
      // It was removed; there may be another of its name by now.
      forget(path);
    }
    Optional<Cgroup> cgroup = manager.find(path);
    if (cgroup.isEmpty()) {
      return Optional.empty();
    }
    CgroupMeter fresh = cgroup.get().meter();
    Optional<CgroupStats> stats = fresh.read();
    if (stats.isPresent()) {
      keep(path, fresh);
    } else {
      fresh.close();
    }
    return stats;
  }

  private void keep(String path, CgroupMeter meter) {
    List<CgroupMeter> superfluous = new ArrayList<>();
    synchronized (open) {
      CgroupMeter other = closed ? meter : open.put(path, meter);
      if (other != null) {
        superfluous.add(other);
      }
      if (open.size() > capacity) {
        var eldest = open.entrySet().iterator();
        superfluous.add(eldest.next().getValue());
        eldest.remove();
      }
    }
    superfluous.forEach(CgroupMeter::close);
  }

  /** Lets go of a cgroup's files, and of those of all below. */
  public void forget(String path) {
    List<CgroupMeter> gone = new ArrayList<>();
    synchronized (open) {
      open.entrySet()
          .removeIf(
              entry -> {
                boolean below =
                    entry.getKey().equals(path) || entry.getKey().startsWith(path + "/");
                if (below) {
                  gone.add(entry.getValue());
                }
                return below;
              });
    }
    gone.forEach(CgroupMeter::close);
  }

  @Override
  public void close() {
    List<CgroupMeter> all;
    synchronized (open) {
      closed = true;
      all = List.copyOf(open.values());
      open.clear();
    }
    all.forEach(CgroupMeter::close);
  }
}
