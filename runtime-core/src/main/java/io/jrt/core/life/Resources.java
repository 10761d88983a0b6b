package io.jrt.core.life;

import io.jrt.core.HugepageLimit;
import io.jrt.core.LinuxResources;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Resource requests laid over each other. */
final class Resources {
  private Resources() {}

  /** What holds after a change: its values where it has some, the earlier ones elsewhere. */
  static LinuxResources merge(LinuxResources before, LinuxResources change) {
    Map<String, String> unified = new HashMap<>(before.unified());
    unified.putAll(change.unified());
    List<HugepageLimit> hugepages = new ArrayList<>(before.hugepages());
    for (HugepageLimit limit : change.hugepages()) {
      hugepages.removeIf(old -> old.pageSize().equals(limit.pageSize()));
      hugepages.add(limit);
    }
    return new LinuxResources(
        pick(before.cpuPeriod(), change.cpuPeriod()),
        pick(before.cpuQuota(), change.cpuQuota()),
        pick(before.cpuShares(), change.cpuShares()),
        pick(before.memoryLimit(), change.memoryLimit()),
        pick(before.memorySwapLimit(), change.memorySwapLimit()),
        // The oom score belongs to the process and is not changed after its start.
        before.oomScoreAdj(),
        change.cpusetCpus().isEmpty() ? before.cpusetCpus() : change.cpusetCpus(),
        change.cpusetMems().isEmpty() ? before.cpusetMems() : change.cpusetMems(),
        hugepages,
        unified);
  }

  private static long pick(long before, long change) {
    return change == 0 ? before : change;
  }
}
