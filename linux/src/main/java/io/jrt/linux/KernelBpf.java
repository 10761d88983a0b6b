package io.jrt.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** {@link Bpf} by bpf(2). */
final class KernelBpf implements Bpf {
  private static final int PROG_LOAD = 5;
  private static final int PROG_ATTACH = 8;
  private static final int PROG_DETACH = 9;
  private static final int PROG_GET_FD_BY_ID = 13;
  private static final int PROG_QUERY = 16;
  private static final int PROG_TYPE_CGROUP_DEVICE = 15;
  private static final int ATTACH_TYPE_CGROUP_DEVICE = 6;
  private static final int LOG_SIZE = 256 * 1024;
  private static final int MAX_PROGRAMS = 64;
  private static final int LOAD_ATTEMPTS = 5;

  private static long bpf(int command, Scratch scratch, int attributes, int size) {
    return Native.retry(SystemCall.BPF, command, scratch.address(attributes), size, 0);
  }

  private static long check(long result, String what) {
    if (result == -1) {
      throw Native.failure(SystemCall.BPF, what);
    }
    return result;
  }

  @Override
  public Fd loadDeviceProgram(List<BpfInstruction> instructions) {
    ByteBuffer code = assemble(instructions);
    try (Scratch scratch = Scratch.take()) {
      int license = scratch.put("Apache\0".getBytes(US_ASCII));
      int at = scratch.zeroed(72);
      ByteBuffer m = scratch.memory;
      m.putInt(at, PROG_TYPE_CGROUP_DEVICE);
      m.putInt(at + 4, instructions.size());
      m.putLong(at + 8, Native.address(code));
      m.putLong(at + 16, scratch.address(license));
      m.put(at + 48, "jrt_devices".getBytes(US_ASCII));
      long result = -1;
      for (int attempt = 0; attempt < LOAD_ATTEMPTS && result == -1; attempt++) {
        result = bpf(PROG_LOAD, scratch, at, 72);
        if (result == -1 && Native.errno() != Errno.EAGAIN.number()) {
          break;
        }
      }
      if (result == -1) {
        int errno = Native.errno();
        throw new KernelException(
            "bpf", errno, "load of " + instructions.size() + " instructions", log(scratch, at));
      }
      return Fd.own((int) result);
    }
  }

  /** Loads it once more, with the verifier's log. */
  private static String log(Scratch scratch, int at) {
    ByteBuffer log = ByteBuffer.allocateDirect(LOG_SIZE);
    scratch.memory.putInt(at + 24, 1);
    scratch.memory.putInt(at + 28, LOG_SIZE);
    scratch.memory.putLong(at + 32, Native.address(log));
    long result = bpf(PROG_LOAD, scratch, at, 72);
    if (result != -1) {
      Native.close((int) result);
    }
    int end = 0;
    while (end < LOG_SIZE && log.get(end) != 0) {
      end++;
    }
    byte[] text = new byte[end];
    log.get(0, text);
    return new String(text, UTF_8).strip();
  }

  private static ByteBuffer assemble(List<BpfInstruction> instructions) {
    ByteBuffer code =
        ByteBuffer.allocateDirect(instructions.size() * 8).order(ByteOrder.nativeOrder());
    for (BpfInstruction i : instructions) {
      code.put((byte) i.opcode());
      code.put((byte) (i.source() << 4 | i.destination()));
      code.putShort((short) i.offset());
      code.putInt(i.immediate());
    }
    return code.flip();
  }

  @Override
  public void attachDevice(Fd cgroup, Fd program) {
    attach(cgroup, program, BPF_F_ALLOW_MULTI, 0);
  }

  @Override
  public void replaceDevice(Fd cgroup, Fd program, Fd replaced) {
    attach(cgroup, program, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, replaced.value());
  }

  private static void attach(Fd cgroup, Fd program, int flags, int replaced) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(20);
      ByteBuffer m = scratch.memory;
      m.putInt(at, cgroup.value());
      m.putInt(at + 4, program.value());
      m.putInt(at + 8, ATTACH_TYPE_CGROUP_DEVICE);
      m.putInt(at + 12, flags);
      m.putInt(at + 16, replaced);
      check(bpf(PROG_ATTACH, scratch, at, 20), "attach of a device program");
    }
  }

  @Override
  public void detachDevice(Fd cgroup, Fd program) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(20);
      ByteBuffer m = scratch.memory;
      m.putInt(at, cgroup.value());
      m.putInt(at + 4, program.value());
      m.putInt(at + 8, ATTACH_TYPE_CGROUP_DEVICE);
      check(bpf(PROG_DETACH, scratch, at, 20), "detach of a device program");
    }
  }

  @Override
  public List<Integer> deviceProgramIds(Fd cgroup) {
    try (Scratch scratch = Scratch.take()) {
      int ids = scratch.zeroed(4 * MAX_PROGRAMS);
      int at = scratch.zeroed(32);
      ByteBuffer m = scratch.memory;
      m.putInt(at, cgroup.value());
      m.putInt(at + 4, ATTACH_TYPE_CGROUP_DEVICE);
      m.putLong(at + 16, scratch.address(ids));
      m.putInt(at + 24, MAX_PROGRAMS);
      check(bpf(PROG_QUERY, scratch, at, 32), "query of device programs");
      List<Integer> found = new ArrayList<>();
      for (int i = 0; i < m.getInt(at + 24); i++) {
        found.add(m.getInt(ids + 4 * i));
      }
      return found;
    }
  }

  @Override
  public Fd programById(int id) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(16);
      scratch.memory.putInt(at, id);
      return Fd.own((int) check(bpf(PROG_GET_FD_BY_ID, scratch, at, 12), "program " + id));
    }
  }
}
