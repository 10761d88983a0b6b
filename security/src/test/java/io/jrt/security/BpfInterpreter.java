package io.jrt.security;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Runs a classic BPF program over a {@code struct seccomp_data}, as the kernel would. */
final class BpfInterpreter {
  private final ByteBuffer program;

  /** How many instructions the last run took. */
  private int steps;

  BpfInterpreter(byte[] program) {
    this.program = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
  }

  int steps() {
    return steps;
  }

  /** The value the program returns. */
  int run(int number, int architecture, long... arguments) {
    ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    data.putInt(0, number).putInt(4, architecture);
    for (int i = 0; i < arguments.length; i++) {
      data.putLong(16 + 8 * i, arguments[i]);
    }
    int accumulator = 0;
    int index = 0;
    int[] memory = new int[16];
    int at = 0;
    steps = 0;
    while (true) {
      steps++;
      int code = program.getShort(at * 8) & 0xffff;
      int ifTrue = program.get(at * 8 + 2) & 0xff;
      int ifFalse = program.get(at * 8 + 3) & 0xff;
      int k = program.getInt(at * 8 + 4);
      at++;
      switch (code) {
        case 0x20 -> accumulator = data.getInt(k); // ld [k]
        case 0x00 -> accumulator = k; // ld #k
        case 0x01 -> index = k; // ldx #k
        case 0x60 -> accumulator = memory[k]; // ld M[k]
        case 0x61 -> index = memory[k]; // ldx M[k]
        case 0x02 -> memory[k] = accumulator; // st M[k]
        case 0x03 -> memory[k] = index; // stx M[k]
        case 0x54 -> accumulator &= k; // and #k
        case 0x44 -> accumulator |= k; // or #k
        case 0x07 -> index = accumulator; // tax
        case 0x87 -> accumulator = index; // txa
        case 0x05 -> at += k; // ja
        case 0x15 -> at += accumulator == k ? ifTrue : ifFalse;
        case 0x25 -> at += Integer.compareUnsigned(accumulator, k) > 0 ? ifTrue : ifFalse;
        case 0x35 -> at += Integer.compareUnsigned(accumulator, k) >= 0 ? ifTrue : ifFalse;
        case 0x45 -> at += (accumulator & k) != 0 ? ifTrue : ifFalse;
        case 0x06 -> {
          return k;
        }
        case 0x16 -> {
          return accumulator;
        }
        default -> throw new IllegalStateException("instruction 0x%x at %d".formatted(code, at));
      }
    }
  }
}
