package io.jrt.linux;

/**
 * One instruction of a BPF program.
 *
 * @param opcode operation, class and operand kind
 * @param destination register 0-10
 * @param source register 0-10
 * @param offset of a jump (in instructions, from the next) or a memory access (in bytes)
 * @param immediate constant operand
 */
public record BpfInstruction(int opcode, int destination, int source, int offset, int immediate) {}
