package io.jrt.core.life;

import io.jrt.core.LinuxResources;
import io.jrt.core.cgroup.CgroupStats;
import io.jrt.core.launch.CgroupPlacement;
import io.jrt.security.DeviceRule;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Function;

/** Control groups of a machine that has none: only their names are kept. */
final class NoControlGroups implements ControlGroups {
  final Set<String> paths = new ConcurrentSkipListSet<>();

  @Override
  public String driver() {
    return "cgroupfs";
  }

  @Override
  public int version() {
    return 1;
  }

  @Override
  public List<Hierarchy> hierarchies() {
    return List.of();
  }

  @Override
  public String podPath(String parent, String podId) {
    return parent.isEmpty() ? "/jrt/" + podId : parent;
  }

  @Override
  public String childPath(String podPath, String id) {
    return podPath + "/" + id;
  }

  @Override
  public void createPod(String path, LinuxResources resources) {
    paths.add(path);
  }

  @Override
  public void createContainer(String path, LinuxResources resources, List<DeviceRule> devices) {
    paths.add(path);
  }

  @Override
  public <T> T place(String path, Function<CgroupPlacement, T> launch) {
    return launch.apply(CgroupPlacement.NONE);
  }

  @Override
  public void settle(String path, int keeper) {}

  @Override
  public boolean isOwn(String path, String podId) {
    return path.endsWith("/" + podId);
  }

  @Override
  public void update(String path, LinuxResources resources) {}

  @Override
  public boolean restoreDevices(String path, List<DeviceRule> devices) {
    return false;
  }

  @Override
  public void killAll(String path) {}

  @Override
  public Set<Integer> processes(String path) {
    return Set.of();
  }

  @Override
  public long oomKills(String path) {
    return 0;
  }

  @Override
  public Optional<CgroupStats> stats(String path) {
    return Optional.empty();
  }

  @Override
  public void remove(String path) {
    paths.removeIf(known -> known.equals(path) || known.startsWith(path + "/"));
  }

  @Override
  public void removeAll() {
    paths.clear();
  }

  @Override
  public Map<String, String> own() {
    return Map.of();
  }

  @Override
  public List<String> collect(Set<String> podIds) {
    return List.of();
  }
}
