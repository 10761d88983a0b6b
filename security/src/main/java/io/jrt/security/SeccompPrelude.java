package io.jrt.security;

import io.jrt.linux.Seccomp;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * BPF instructions put before libseccomp's, for system calls with a number above all it was told
 * of.
 *
 * <p>A call that the profile names and libseccomp does not know is decided here. A call newer than
 * everything the profile names fails with ENOSYS instead of EPERM, so that a C library tries the
 * older call (runc's practice). All others go on to libseccomp's program.
 */
final class SeccompPrelude {
  private static final int ENOSYS = 38;

  // struct seccomp_data: int nr; __u32 arch; ...
  private static final int OFFSET_NUMBER = 0;
  private static final int OFFSET_ARCHITECTURE = 4;

  private static final int LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
  private static final int JUMP = 0x05; // BPF_JMP | BPF_JA
  private static final int JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
  private static final int JUMP_GREATER = 0x25; // BPF_JMP | BPF_JGT | BPF_K
  private static final int JUMP_GREATER_EQUAL = 0x35; // BPF_JMP | BPF_JGE | BPF_K
  private static final int RETURN = 0x06; // BPF_RET | BPF_K

  /** What x32 calls carry in the number, whose architecture is given as x86-64. */
  private static final int X32_BIT = 0x4000_0000;

  private static final String X86_64 = "x86_64";
  private static final String X32 = "x32";

  private final Map<String, Section> sections = new LinkedHashMap<>();

  private static final class Section {
    private final int token;
    private final Map<Integer, Integer> decisions = new TreeMap<>();
    private int highest = -1;

    Section(int token) {
      this.token = token;
    }
  }

  private record Instruction(int code, int ifTrue, int ifFalse, int k) {}

  void architecture(String name, int token) {
    sections.put(name, new Section(token));
  }

  /** libseccomp knows this call there, and a rule names it. */
  void known(String architecture, int number) {
    Section section = section(architecture);
    section.highest = Math.max(section.highest, number);
  }

  /** A call that libseccomp does not know there; the first rule that names it counts. */
  void decide(String architecture, int number, int action) {
    known(architecture, number);
    section(architecture).decisions.putIfAbsent(number, action);
  }

  private Section section(String architecture) {
    Section section = sections.get(architecture);
    if (section == null) {
      throw new IllegalArgumentException("no such architecture: " + architecture);
    }
    return section;
  }

  /**
   * Both programs as one.
   *
   * @param enosys answer ENOSYS for what is newer than the profile
   */
  byte[] prependTo(byte[] program, boolean enosys) {
    List<Instruction> prelude = new ArrayList<>();
    List<Integer> toProgram = new ArrayList<>();
    prelude.add(new Instruction(LOAD_WORD, 0, 0, OFFSET_ARCHITECTURE));
    for (Map.Entry<String, Section> entry : sections.entrySet()) {
      String name = entry.getKey();
      Section section = entry.getValue();
      if (name.equals(X32) && sections.containsKey(X86_64)) {
        continue; // inside the section of x86-64
      }
      List<Instruction> body = new ArrayList<>();
      List<Integer> exits = new ArrayList<>();
      body.add(new Instruction(LOAD_WORD, 0, 0, OFFSET_NUMBER));
      if (name.equals(X86_64)) {
        Section x32 = sections.get(X32);
        List<Instruction> wide = new ArrayList<>();
        List<Integer> wideExits = new ArrayList<>();
        if (x32 != null) {
          decisions(wide, x32, enosys);
        }
        exit(wide, wideExits);
        body.add(new Instruction(JUMP_GREATER_EQUAL, 0, 1, X32_BIT));
        body.add(new Instruction(JUMP, 0, 0, 1)); // into the x32 part
        body.add(new Instruction(JUMP, 0, 0, wide.size())); // past it
        int offset = body.size();
        body.addAll(wide);
        wideExits.forEach(at -> exits.add(at + offset));
      }
      decisions(body, section, enosys);
      exit(body, exits);
      int architecture = name.equals(X32) ? section.token | 0x8000_0000 : section.token;
      prelude.add(new Instruction(JUMP_EQUAL, 1, 0, architecture));
      prelude.add(new Instruction(JUMP, 0, 0, body.size())); // to the next section
      int offset = prelude.size();
      prelude.addAll(body);
      exits.forEach(at -> toProgram.add(at + offset));
    }
    for (int at : toProgram) {
      prelude.set(at, new Instruction(JUMP, 0, 0, prelude.size() - at - 1));
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(prelude.size() * SeccompFilter.INSTRUCTION_BYTES + program.length)
            .order(ByteOrder.nativeOrder());
    for (Instruction instruction : prelude) {
      bytes.putShort((short) instruction.code);
      bytes.put((byte) instruction.ifTrue);
      bytes.put((byte) instruction.ifFalse);
      bytes.putInt(instruction.k);
    }
    return bytes.put(program).array();
  }

  private static void decisions(List<Instruction> body, Section section, boolean enosys) {
    if (section.decisions.isEmpty() && (!enosys || section.highest < 0)) {
      return;
    }
    List<Instruction> rare = new ArrayList<>();
    section.decisions.forEach(
        (number, action) -> {
          rare.add(new Instruction(JUMP_EQUAL, 0, 1, number));
          rare.add(new Instruction(RETURN, 0, 0, action));
        });
    if (enosys && section.highest >= 0) {
      rare.add(new Instruction(JUMP_GREATER, 0, 1, section.highest));
      rare.add(new Instruction(RETURN, 0, 0, Seccomp.actionErrno(ENOSYS)));
    }
    // One comparison takes the everyday calls past all of these.
    int lowest = section.decisions.keySet().stream().mapToInt(n -> n).min().orElse(section.highest);
    body.add(new Instruction(JUMP_GREATER_EQUAL, 1, 0, lowest));
    body.add(new Instruction(JUMP, 0, 0, rare.size()));
    body.addAll(rare);
  }

  private static void exit(List<Instruction> body, List<Integer> exits) {
    exits.add(body.size());
    body.add(new Instruction(JUMP, 0, 0, 0));
  }
}
