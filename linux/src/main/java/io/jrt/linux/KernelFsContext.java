package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

/** {@link FsContext} on the descriptor of fsopen(2) or fspick(2). */
final class KernelFsContext implements FsContext {
  private static final int SET_FLAG = 0;
  private static final int SET_STRING = 1;
  private static final int SET_BINARY = 2;
  private static final int SET_PATH = 3;
  private static final int SET_FD = 5;
  private static final int CMD_CREATE = 6;
  private static final int CMD_RECONFIGURE = 7;
  private static final int FSMOUNT_CLOEXEC = 1;

  private final Fd fd;
  private final String what;

  KernelFsContext(Fd fd, String what) {
    this.fd = fd;
    this.what = what;
  }

  @Override
  public FsContext flag(String key) {
    return configure(SET_FLAG, key, null, 0, "");
  }

  @Override
  public FsContext string(String key, String value) {
    return configure(SET_STRING, key, value.getBytes(UTF_8), 0, value);
  }

  @Override
  public FsContext binary(String key, byte[] value) {
    try (Scratch scratch = Scratch.take()) {
      long name = scratch.string("fsconfig", key.getBytes(UTF_8));
      long data = scratch.address(scratch.put(value));
      check(
          Native.retry(SystemCall.FSCONFIG, fd.value(), SET_BINARY, name, data, value.length, 0),
          key);
      return this;
    }
  }

  @Override
  public FsContext path(String key, Fd dir, String path) {
    return configure(SET_PATH, key, path.getBytes(UTF_8), dir.value(), path);
  }

  @Override
  public FsContext fd(String key, Fd value) {
    return configure(SET_FD, key, null, value.value(), value.toString());
  }

  @Override
  public FsContext create() {
    return command(CMD_CREATE, "create");
  }

  @Override
  public FsContext reconfigure() {
    return command(CMD_RECONFIGURE, "reconfigure");
  }

  private FsContext command(int command, String label) {
    check(Native.retry(SystemCall.FSCONFIG, fd.value(), command, 0, 0, 0, 0), label);
    return this;
  }

  private FsContext configure(
      int command, String key, byte @Nullable [] value, int aux, String shown) {
    try (Scratch scratch = Scratch.take()) {
      long name = scratch.string("fsconfig", key.getBytes(UTF_8));
      long data = value == null ? 0 : scratch.string("fsconfig", value);
      check(
          Native.retry(SystemCall.FSCONFIG, fd.value(), command, name, data, aux, 0),
          shown.isEmpty() ? key : key + "=" + shown);
      return this;
    }
  }

  @Override
  public Fd mount(long attributes) {
    long result = Native.retry(SystemCall.FSMOUNT, fd.value(), FSMOUNT_CLOEXEC, attributes, 0);
    if (result == -1) {
      int errno = Native.errno();
      throw new KernelException("fsmount", errno, what, log());
    }
    return Fd.own((int) result);
  }

  private void check(long result, String argument) {
    if (result == -1) {
      int errno = Native.errno();
      throw new KernelException("fsconfig", errno, what + " " + argument, log());
    }
  }

  /** What the kernel wrote about this context: lines that begin with their kind (e, w or i). */
  private String log() {
    StringBuilder text = new StringBuilder();
    try (Scratch scratch = Scratch.take()) {
      int line = scratch.reserve(1024);
      while (true) {
        int length =
            (int) Native.retry(SystemCall.READ, fd.value(), scratch.address(line), 1024, 0);
        if (length <= 0) {
          return text.toString();
        }
        String message = new String(scratch.copy(line, length), UTF_8).strip();
        if (message.length() > 2 && message.charAt(1) == ' ') {
          message = message.substring(2);
        }
        text.append(text.isEmpty() ? "" : "; ").append(message);
      }
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
