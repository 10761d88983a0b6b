package io.jrt.linux;

import java.util.List;

/** BPF programs that decide which devices the processes of a cgroup (v2) may use. */
public interface Bpf {
  int BPF_F_ALLOW_OVERRIDE = 1;
  int BPF_F_ALLOW_MULTI = 2;
  int BPF_F_REPLACE = 4;

  /**
   * Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE.
   *
   * @param instructions 8 bytes each, in the machine's byte order; see {@link BpfInstruction}
   * @throws KernelException with the verifier's log when the kernel refuses it
   */
  Fd loadDeviceProgram(List<BpfInstruction> instructions);

  /** Attaches beside others, all of which must allow (BPF_F_ALLOW_MULTI). */
  void attachDevice(Fd cgroup, Fd program);

  /** Puts one program in the place of another in one step. */
  void replaceDevice(Fd cgroup, Fd program, Fd replaced);

  void detachDevice(Fd cgroup, Fd program);

  /** The programs attached to this very cgroup. */
  List<Integer> deviceProgramIds(Fd cgroup);

  Fd programById(int id);
}
