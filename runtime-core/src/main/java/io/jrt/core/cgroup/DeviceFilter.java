package io.jrt.core.cgroup;

import io.jrt.linux.Bpf;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.KernelException;
import io.jrt.security.DeviceRule;
import java.util.List;

/** Puts device rules on a v2 cgroup. */
final class DeviceFilter {
  private DeviceFilter() {}

  /**
   * Replaces the programs that are attached; at no moment is none in force. All attached programs
   * must allow an access.
   */
  static void attach(Bpf bpf, Fd cgroup, List<DeviceRule> rules) {
    List<Integer> before = bpf.deviceProgramIds(cgroup);
    try (Fd program = bpf.loadDeviceProgram(DeviceProgram.of(rules))) {
      if (before.size() == 1 && replaced(bpf, cgroup, program, before.getFirst())) {
        return;
      }
      bpf.attachDevice(cgroup, program);
      for (int id : before) {
        detach(bpf, cgroup, id);
      }
    }
  }

  private static boolean replaced(Bpf bpf, Fd cgroup, Fd program, int id) {
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

  private static void detach(Bpf bpf, Fd cgroup, int id) {
    try (Fd old = bpf.programById(id)) {
      bpf.detachDevice(cgroup, old);
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }
}
