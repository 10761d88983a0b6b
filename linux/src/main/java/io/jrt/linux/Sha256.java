package io.jrt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import jnr.ffi.LibraryLoader;

/**
 * SHA-256 at the speed of the processor. The JDK has it only where its second compiler runs, which
 * in the daemon it does not: there the JDK's is fourteen times slower. OpenSSL's libcrypto does it
 * where that library is installed, which is nearly everywhere; elsewhere the JDK does.
 */
public final class Sha256 extends MessageDigest {
  private static final int LENGTH = 32;

  /** Below this the copy and the call cost more than they gain. */
  private static final int BUFFER = 64 << 10;

  /** {@code SHA256_CTX} has 112 bytes. */
  private static final long STATE_SIZE = 256;

  private final LibCrypto library;
  private final MemorySegment state;
  private final MemorySegment buffer;
  private int buffered;

  private Sha256(LibCrypto library) {
    super("SHA-256");
    this.library = library;
    Arena arena = Arena.ofAuto();
    this.state = arena.allocate(STATE_SIZE, 16);
    this.buffer = arena.allocate(BUFFER, 64);
    library.SHA256_Init(state.address());
  }

  /** The fastest that this machine has. */
  public static MessageDigest fastest() {
    return Library.INSTANCE.<MessageDigest>map(Sha256::new).orElseGet(Sha256::portable);
  }

  /** The JDK's. */
  public static MessageDigest portable() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Loaded with the first hash. */
  private static final class Library {
    static final Optional<LibCrypto> INSTANCE = load();

    private static Optional<LibCrypto> load() {
      Native.load();
      try {
        LibCrypto library =
            LibraryLoader.create(LibCrypto.class).failImmediately().load("libcrypto.so.3");
        byte[] found = new Sha256(library).digest(new byte[] {'a', 'b', 'c'});
        return HexFormat.of()
                .formatHex(found)
                .equals("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
            ? Optional.of(library)
            : Optional.empty();
      } catch (LinkageError e) {
        // It is optional: the JDK does the same, slower.
        return Optional.empty();
      }
    }
  }

  @Override
  protected int engineGetDigestLength() {
    return LENGTH;
  }

  @Override
  protected void engineUpdate(byte input) {
    buffer.set(ValueLayout.JAVA_BYTE, buffered++, input);
    if (buffered == BUFFER) {
      flush();
    }
  }

  @Override
  protected void engineUpdate(byte[] input, int offset, int length) {
    int from = offset;
    int left = length;
    while (left > 0) {
      int count = Math.min(left, BUFFER - buffered);
      MemorySegment.copy(input, from, buffer, ValueLayout.JAVA_BYTE, buffered, count);
      buffered += count;
      from += count;
      left -= count;
      if (buffered == BUFFER) {
        flush();
      }
    }
  }

  @Override
  protected void engineUpdate(ByteBuffer input) {
    if (!input.isDirect()) {
      super.engineUpdate(input);
      return;
    }
    flush();
    library.SHA256_Update(state.address(), Native.address(input), input.remaining());
    input.position(input.limit());
  }

  private void flush() {
    if (buffered > 0) {
      library.SHA256_Update(state.address(), buffer.address(), buffered);
      buffered = 0;
    }
  }

  @Override
  protected byte[] engineDigest() {
    flush();
    library.SHA256_Final(buffer.address(), state.address());
    byte[] result = new byte[LENGTH];
    MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, result, 0, LENGTH);
    engineReset();
    return result;
  }

  @Override
  protected void engineReset() {
    buffered = 0;
    library.SHA256_Init(state.address());
  }
}
