package io.jrt.core.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * What the loader has to know of a shared library.
 *
 * @param soname the name other files need it by
 * @param machine the ELF number of the processor
 */
record ElfFile(String soname, int machine) {
  static final int X86_64 = 62;
  static final int AARCH64 = 183;

  private static final int HEADER = 64;
  private static final int PROGRAM_HEADER = 56;
  private static final int PT_LOAD = 1;
  private static final int PT_DYNAMIC = 2;
  private static final int DT_STRTAB = 5;
  private static final int DT_SONAME = 14;
  private static final int LONGEST_NAME = 255;
  private static final int LARGEST_TABLE = 1 << 20;

  /** Reads a 64-bit little-endian library; empty when the file is something else. */
  static Optional<ElfFile> read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return read(channel);
    }
  }

  private static Optional<ElfFile> read(FileChannel channel) throws IOException {
    ByteBuffer header = at(channel, 0, HEADER);
    if (header.remaining() < HEADER
        || header.getInt(0) != 0x464c457f
        || header.get(4) != 2
        || header.get(5) != 1) {
      return Optional.empty();
    }
    int machine = Short.toUnsignedInt(header.getShort(18));
    int count = Short.toUnsignedInt(header.getShort(56));
    if (Short.toUnsignedInt(header.getShort(54)) != PROGRAM_HEADER) {
      return Optional.empty();
    }
    ByteBuffer programs = at(channel, header.getLong(32), count * PROGRAM_HEADER);
    for (int at = 0; at + PROGRAM_HEADER <= programs.limit(); at += PROGRAM_HEADER) {
      if (programs.getInt(at) == PT_DYNAMIC) {
        return soname(channel, programs, programs.getLong(at + 8), programs.getLong(at + 32))
            .map(name -> new ElfFile(name, machine));
      }
    }
    return Optional.empty();
  }

  private static Optional<String> soname(
      FileChannel channel, ByteBuffer programs, long offset, long size) throws IOException {
    long names = -1;
    long name = -1;
    ByteBuffer dynamic = at(channel, offset, Math.clamp(size, 0, LARGEST_TABLE));
    for (int at = 0; at + 16 <= dynamic.limit(); at += 16) {
      long tag = dynamic.getLong(at);
      if (tag == 0) {
        break;
      }
      if (tag == DT_STRTAB) {
        names = offsetOf(programs, dynamic.getLong(at + 8));
      } else if (tag == DT_SONAME) {
        name = dynamic.getLong(at + 8);
      }
    }
    if (names < 0 || name < 0 || name > Integer.MAX_VALUE) {
      return Optional.empty();
    }
    ByteBuffer text = at(channel, names + name, LONGEST_NAME + 1);
    int length = 0;
    while (length < text.limit() && text.get(length) != 0) {
      length++;
    }
    if (length == 0 || length > LONGEST_NAME) {
      return Optional.empty();
    }
    byte[] bytes = new byte[length];
    text.get(0, bytes);
    return Optional.of(new String(bytes, StandardCharsets.UTF_8));
  }

  /** Where in the file an address lies that the program headers map. */
  private static long offsetOf(ByteBuffer programs, long address) {
    for (int at = 0; at + PROGRAM_HEADER <= programs.limit(); at += PROGRAM_HEADER) {
      long start = programs.getLong(at + 16);
      if (programs.getInt(at) == PT_LOAD
          && address >= start
          && address - start < programs.getLong(at + 32)) {
        return programs.getLong(at + 8) + address - start;
      }
    }
    return -1;
  }

  private static ByteBuffer at(FileChannel channel, long offset, int size) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    if (offset >= 0) {
      while (buffer.hasRemaining() && channel.read(buffer, offset + buffer.position()) > 0) {
        // a read may give less than asked for
      }
    }
    return buffer.flip();
  }
}
