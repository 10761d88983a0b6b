package io.jrt.core.launch;

import io.jrt.linux.Fd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a launch plan: numbers in the machine's byte order, texts with their length and a NUL,
 * descriptors by their place in the list that goes to jrt-init beside the plan.
 */
final class PlanWriter {
  private static final int NO_FD = -1;

  private ByteBuffer bytes = ByteBuffer.allocate(8192).order(ByteOrder.nativeOrder());
  private final List<Fd> fds = new ArrayList<>();

  PlanWriter u32(int value) {
    room(Integer.BYTES).putInt(value);
    return this;
  }

  PlanWriter u64(long value) {
    room(Long.BYTES).putLong(value);
    return this;
  }

  PlanWriter flag(boolean value) {
    return u32(value ? 1 : 0);
  }

  PlanWriter raw(byte[] value) {
    room(value.length).put(value);
    return this;
  }

  PlanWriter text(CString value) {
    return text(value.bytes());
  }

  PlanWriter text(String value) {
    return text(CString.of(value).bytes());
  }

  private PlanWriter text(byte[] value) {
    room(Integer.BYTES + value.length + 1).putInt(value.length).put(value).put((byte) 0);
    return this;
  }

  PlanWriter texts(List<CString> values) {
    u32(values.size());
    values.forEach(this::text);
    return this;
  }

  PlanWriter fd(Fd fd) {
    return u32(send(fd));
  }

  PlanWriter noFd() {
    return u32(NO_FD);
  }

  /** Adds to the descriptors that are sent without naming its place in the plan. */
  int send(Fd fd) {
    fds.add(fd);
    return fds.size(); // the plan itself is sent before all these
  }

  /** What was written. */
  ByteBuffer content() {
    return bytes.duplicate().flip();
  }

  /** The descriptors after the plan's own, in order. */
  List<Fd> fds() {
    return fds;
  }

  private ByteBuffer room(int more) {
    if (bytes.remaining() < more) {
      int size = Math.max(bytes.capacity() * 2, bytes.position() + more);
      bytes = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder()).put(bytes.flip());
    }
    return bytes;
  }
}
