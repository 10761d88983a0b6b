package io.jrt.linux;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import jnr.ffi.LibraryLoader;

/**
 * The one bridge to native code: system calls by number, errno, addresses of buffers.
 *
 * <p>errno is kept per native thread by jnr. Between a call and {@link #errno()} nothing may block,
 * or a virtual thread could move to another carrier.
 */
final class Native {
  private static final int EINTR = 4;
  private static final Libc LIBC;
  private static final jnr.ffi.Runtime RUNTIME;

  static {
    // jnr-ffi issue 181: its x86-64 stubs pass a wrong sixth integer argument. Must be set before
    // any jnr class loads, and nothing but this class loads one.
    System.setProperty("jnr.ffi.x86asm.enabled", "false");
    LIBC = LibraryLoader.create(Libc.class).failImmediately().load("c");
    RUNTIME = jnr.ffi.Runtime.getRuntime(LIBC);
  }

  private Native() {}

  /** Forces the binding, so that a failure shows at start. */
  static void load() {
    LIBC.syscall(SystemCall.GETPID.number, 0, 0, 0, 0);
  }

  static Libc libc() {
    return LIBC;
  }

  /** The raw call: -1 for an error that {@link #errno()} names. */
  static long raw(SystemCall call, long a, long b, long c, long d) {
    return LIBC.syscall(call.number, a, b, c, d);
  }

  static long raw(SystemCall call, long a, long b, long c, long d, long e, long f) {
    return LIBC.syscall(call.number, a, b, c, d, e, f);
  }

  /** The call, repeated while a signal interrupts it. */
  static long retry(SystemCall call, long a, long b, long c, long d) {
    long result;
    do {
      result = LIBC.syscall(call.number, a, b, c, d);
    } while (result == -1 && RUNTIME.getLastError() == EINTR);
    return result;
  }

  static long retry(SystemCall call, long a, long b, long c, long d, long e, long f) {
    long result;
    do {
      result = LIBC.syscall(call.number, a, b, c, d, e, f);
    } while (result == -1 && RUNTIME.getLastError() == EINTR);
    return result;
  }

  static int errno() {
    return RUNTIME.getLastError();
  }

  static KernelException failure(SystemCall call, String argument) {
    return new KernelException(call.label, errno(), argument);
  }

  static KernelException failure(SystemCall call, byte[] path) {
    return new KernelException(call.label, errno(), printable(path));
  }

  /** close(2), never repeated: on Linux the descriptor is gone also after EINTR. */
  static void close(int fd) {
    LIBC.syscall(SystemCall.CLOSE.number, fd, 0, 0, 0);
  }

  /** The address of the buffer's position; it must be a direct one and stay reachable. */
  static long address(ByteBuffer direct) {
    return MemorySegment.ofBuffer(direct).address();
  }

  static String printable(byte[] path) {
    return new String(path, StandardCharsets.UTF_8);
  }
}
