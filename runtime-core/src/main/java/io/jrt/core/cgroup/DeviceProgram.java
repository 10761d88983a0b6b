package io.jrt.core.cgroup;

import io.jrt.linux.BpfInstruction;
import io.jrt.security.DeviceRule;
import java.util.ArrayList;
import java.util.List;

/**
 * Translates device rules into a BPF program. Each kind of access (read, write, mknod) that is
 * asked for must be allowed by the last rule that speaks of it for this device: the program walks
 * the rules backwards, crosses off what they allow and refuses at the first that denies what is
 * left.
 */
final class DeviceProgram {
  private static final int BLOCK = 1;
  private static final int CHARACTER = 2;
  private static final int MKNOD = 1;
  private static final int READ = 2;
  private static final int WRITE = 4;
  private static final int ALL = MKNOD | READ | WRITE;

  // Opcodes: 32-bit load, and arithmetic and jumps with a constant.
  private static final int LOAD_WORD = 0x61;
  private static final int AND32 = 0x54;
  private static final int RIGHT_SHIFT32 = 0x74;
  private static final int MOVE64 = 0xb7;
  private static final int MOVE32_REGISTER = 0xbc;
  private static final int JUMP_EQUAL = 0x15;
  private static final int JUMP_NOT_EQUAL = 0x55;
  private static final int EXIT = 0x95;

  // Registers: the verdict, the context and then scratch, type, access still asked for, numbers.
  private static final int R0 = 0;
  private static final int R1 = 1;
  private static final int TYPE = 2;
  private static final int LEFT = 3;
  private static final int MAJOR = 4;
  private static final int MINOR = 5;

  private final List<BpfInstruction> code = new ArrayList<>();

  private DeviceProgram() {}

  static List<BpfInstruction> of(List<DeviceRule> rules) {
    DeviceProgram program = new DeviceProgram();
    program.prologue();
    boolean decided = false;
    for (DeviceRule rule : rules.reversed()) {
      program.rule(rule);
      if (isForAll(rule)) {
        // Nothing gets past it, and the verifier refuses code that cannot be reached.
        decided = true;
        break;
      }
    }
    if (!decided) {
      program.verdict(false);
    }
    return List.copyOf(program.code);
  }

  private static boolean isForAll(DeviceRule rule) {
    return rule.type() == 'a' && access(rule) == ALL;
  }

  private void prologue() {
    emit(LOAD_WORD, TYPE, R1, 0, 0);
    emit(AND32, TYPE, 0, 0, 0xffff);
    emit(LOAD_WORD, LEFT, R1, 0, 0);
    emit(RIGHT_SHIFT32, LEFT, 0, 0, 16);
    emit(LOAD_WORD, MAJOR, R1, 4, 0);
    emit(LOAD_WORD, MINOR, R1, 8, 0);
  }

  private void rule(DeviceRule rule) {
    if (isForAll(rule)) {
      verdict(rule.allow());
      return;
    }
    List<Integer> jumps = new ArrayList<>();
    if (rule.type() != 'a') {
      jumps.add(jump(JUMP_NOT_EQUAL, TYPE, rule.type() == 'b' ? BLOCK : CHARACTER));
      if (rule.major() != DeviceRule.ANY) {
        jumps.add(jump(JUMP_NOT_EQUAL, MAJOR, Math.toIntExact(rule.major())));
      }
      if (rule.minor() != DeviceRule.ANY) {
        jumps.add(jump(JUMP_NOT_EQUAL, MINOR, Math.toIntExact(rule.minor())));
      }
    }
    int access = access(rule);
    if (rule.allow()) {
      emit(AND32, LEFT, 0, 0, ALL & ~access);
      jumps.add(jump(JUMP_NOT_EQUAL, LEFT, 0));
    } else {
      emit(MOVE32_REGISTER, R1, LEFT, 0, 0);
      emit(AND32, R1, 0, 0, access);
      jumps.add(jump(JUMP_EQUAL, R1, 0));
    }
    verdict(rule.allow());
    for (int jump : jumps) {
      BpfInstruction i = code.get(jump);
      int offset = code.size() - jump - 1;
      code.set(
          jump, new BpfInstruction(i.opcode(), i.destination(), i.source(), offset, i.immediate()));
    }
  }

  private static int access(DeviceRule rule) {
    int bits = 0;
    for (char c : rule.access().toCharArray()) {
      bits |=
          switch (c) {
            case 'r' -> READ;
            case 'w' -> WRITE;
            case 'm' -> MKNOD;
            default -> throw new IllegalArgumentException("device access " + rule.access());
          };
    }
    return bits;
  }

  private void verdict(boolean allow) {
    emit(MOVE64, R0, 0, 0, allow ? 1 : 0);
    emit(EXIT, 0, 0, 0, 0);
  }

  /** A jump to the next rule, whose distance is filled in when that is known. */
  private int jump(int opcode, int register, int value) {
    emit(opcode, register, 0, 0, value);
    return code.size() - 1;
  }

  private void emit(int opcode, int destination, int source, int offset, int immediate) {
    code.add(new BpfInstruction(opcode, destination, source, offset, immediate));
  }
}
