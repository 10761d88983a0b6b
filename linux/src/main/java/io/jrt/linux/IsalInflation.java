package io.jrt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.DataFormatException;
import jnr.ffi.LibraryLoader;

/**
 * {@link Inflation} by ISA-L ({@code libisal.so.2}). The fields of its {@code struct inflate_state}
 * that are read here lie where the ABI of that soname has them; a stream is tried at the first use,
 * and where it does not come out right the library is taken as absent.
 */
final class IsalInflation implements Inflation {
  private static final long NEXT_OUT = 0;
  private static final long AVAIL_OUT = 8;
  private static final long NEXT_IN = 16;
  private static final long READ_IN = 24;
  private static final long AVAIL_IN = 32;
  private static final long READ_IN_LENGTH = 36;

  /** Behind the two Huffman tables of 18912 and 2208 bytes. */
  private static final long BLOCK_STATE = 40 + 18912 + 2208;

  private static final int BLOCK_FINISH = 5;

  /** The structure has about 90 KiB: with its history, room to spare for later versions. */
  private static final long STATE_SIZE = 160 << 10;

  private static final int BUFFER = 256 << 10;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment state = arena.allocate(STATE_SIZE, 64);
  private MemorySegment input = arena.allocate(BUFFER, 64);
  private MemorySegment output = MemorySegment.NULL;
  private final LibIsal library;
  private boolean finished;

  IsalInflation() {
    this(Library.INSTANCE.orElseThrow());
  }

  private IsalInflation(LibIsal library) {
    this.library = library;
    reset();
  }

  /** Loaded when the first gzip layer comes. */
  private static final class Library {
    static final Optional<LibIsal> INSTANCE = load();

    private static Optional<LibIsal> load() {
      Native.load();
      try {
        LibIsal library =
            LibraryLoader.create(LibIsal.class).failImmediately().load("libisal.so.2");
        try (var probe = new IsalInflation(library)) {
          return probe.works() ? Optional.of(library) : Optional.empty();
        }
      } catch (LinkageError e) {
        // It is optional: the JDK's zlib does the same, slower.
        return Optional.empty();
      }
    }
  }

  static boolean isHere() {
    return Library.INSTANCE.isPresent();
  }

  /** A stored block of two bytes, and three bytes behind it. */
  private boolean works() {
    byte[] stream = {1, 2, 0, (byte) 0xfd, (byte) 0xff, 'o', 'k', 7, 8, 9};
    byte[] result = new byte[4];
    input(stream, 0, stream.length);
    try {
      boolean right = inflate(result, 0, 4) == 2 && result[0] == 'o' && result[1] == 'k';
      byte[] rest = right && finished() ? rest() : new byte[0];
      return rest.length == 3 && rest[0] == 7 && rest[2] == 9;
    } catch (DataFormatException e) {
      return false;
    }
  }

  @Override
  public String library() {
    return "isa-l";
  }

  @Override
  public void reset() {
    library.isal_inflate_init(state.address());
    state.set(INT, AVAIL_IN, 0);
    finished = false;
  }

  @Override
  public void input(byte[] bytes, int offset, int length) {
    if (state.get(INT, AVAIL_IN) != 0) {
      throw new IllegalStateException("input is left");
    }
    if (length > input.byteSize()) {
      input = arena.allocate(length, 64);
    }
    MemorySegment.copy(bytes, offset, input, ValueLayout.JAVA_BYTE, 0, length);
    state.set(LONG, NEXT_IN, input.address());
    state.set(INT, AVAIL_IN, length);
  }

  @Override
  public int inflate(byte[] buffer, int offset, int length) throws DataFormatException {
    if (output.byteSize() == 0) {
      output = arena.allocate(BUFFER, 64);
    }
    int count = inflate(output.address(), Math.min(length, BUFFER));
    MemorySegment.copy(output, ValueLayout.JAVA_BYTE, 0, buffer, offset, count);
    return count;
  }

  @Override
  public int inflate(ByteBuffer direct) throws DataFormatException {
    if (!direct.isDirect()) {
      throw new IllegalArgumentException("not a direct buffer");
    }
    int count = inflate(Native.address(direct), direct.remaining());
    direct.position(direct.position() + count);
    return count;
  }

  private int inflate(long to, int room) throws DataFormatException {
    if (finished) {
      return 0;
    }
    state.set(LONG, NEXT_OUT, to);
    state.set(INT, AVAIL_OUT, room);
    int result = library.isal_inflate(state.address());
    // Positive ones and -1 (end of input) are no errors of the data.
    if (result < -1) {
      throw new DataFormatException(
          switch (result) {
            case -2 -> "invalid block";
            case -3 -> "invalid symbol";
            case -4 -> "invalid distance";
            default -> "isa-l error " + result;
          });
    }
    int count = room - state.get(INT, AVAIL_OUT);
    finished = state.get(INT, BLOCK_STATE) == BLOCK_FINISH;
    return count;
  }

  @Override
  public boolean finished() {
    return finished;
  }

  @Override
  public byte[] rest() {
    // Whole bytes that were taken into the bit buffer come before what was not looked at.
    int bits = state.get(INT, READ_IN_LENGTH);
    long taken = state.get(LONG, READ_IN) >>> (bits % 8);
    int front = bits / 8;
    int back = state.get(INT, AVAIL_IN);
    byte[] rest = new byte[front + back];
    for (int i = 0; i < front; i++) {
      rest[i] = (byte) (taken >>> (8 * i));
    }
    long position = state.get(LONG, NEXT_IN) - input.address();
    MemorySegment.copy(input, ValueLayout.JAVA_BYTE, position, rest, front, back);
    state.set(INT, READ_IN_LENGTH, 0);
    state.set(LONG, READ_IN, 0);
    state.set(INT, AVAIL_IN, 0);
    return rest;
  }

  @Override
  public void close() {
    arena.close();
  }
}
