package io.jrt.core.cgroup;

import io.jrt.linux.Bpf;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.KernelException;
import io.jrt.security.DeviceRule;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Puts device rules on v2 cgroups, and knows again what it has put there. */
final class DeviceFilter {
  private final Bpf bpf;
  private final Map<Path, Integer> attached = new ConcurrentHashMap<>();

  DeviceFilter(Bpf bpf) {
    this.bpf = bpf;
  }

  /**
   * Replaces the programs that are attached; at no moment is none in force. All attached programs
   * must allow an access.
   */
  void attach(CgroupDir dir, List<DeviceRule> rules) {
    try (Fd cgroup = dir.open()) {
      List<Integer> before = bpf.deviceProgramIds(cgroup);
      try (Fd program = bpf.loadDeviceProgram(DeviceProgram.of(rules))) {
        if (before.size() != 1 || !replaced(cgroup, program, before.getFirst())) {
          bpf.attachDevice(cgroup, program);
          before.forEach(id -> detach(cgroup, id));
        }
      }
      List<Integer> now = bpf.deviceProgramIds(cgroup);
      if (now.size() == 1) {
        attached.put(dir.path(), now.getFirst());
      }
    }
  }

  /** Whether what was attached by this very object is attached still, and nothing else. */
  boolean stands(CgroupDir dir) {
    Integer id = attached.get(dir.path());
    if (id == null) {
      return false;
    }
    try (Fd cgroup = dir.open()) {
      return bpf.deviceProgramIds(cgroup).equals(List.of(id));
    }
  }

  void forget(CgroupDir dir) {
    attached.remove(dir.path());
  }

  private boolean replaced(Fd cgroup, Fd program, int id) {
    try (Fd old = bpf.programById(id)) {
      bpf.replaceDevice(cgroup, program, old);
      return true;
    } catch (KernelException e) {
      // It went away meanwhile, or the kernel (before 5.6) cannot replace.
      if (e.is(Errno.ENOENT, Errno.EINVAL)) {
        return false;
      }
      throw e;
    }
  }

  private void detach(Fd cgroup, int id) {
    try (Fd old = bpf.programById(id)) {
      bpf.detachDevice(cgroup, old);
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }
}
