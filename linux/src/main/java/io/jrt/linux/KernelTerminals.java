package io.jrt.linux;

import java.nio.file.Path;

/** {@link Terminals} by ioctl(2). */
final class KernelTerminals implements Terminals {
  private static final int TIOCGWINSZ = 0x5413;
  private static final int TIOCSWINSZ = 0x5414;
  private static final int TIOCGPTPEER = 0x5441;
  private static final int TIOCSPTLCK = 0x40045431;

  private final Files files;

  KernelTerminals(Files files) {
    this.files = files;
  }

  private static long ioctl(Fd fd, int request, long argument) {
    long result = Native.retry(SystemCall.IOCTL, fd.value(), request, argument, 0);
    if (result == -1) {
      throw Native.failure(SystemCall.IOCTL, "terminal " + fd);
    }
    return result;
  }

  @Override
  public Pty open(String ptmx) {
    int flags = OpenFlags.O_RDWR | OpenFlags.O_NOCTTY;
    Fd master = files.open(Path.of(ptmx), flags);
    try (Scratch scratch = Scratch.take()) {
      ioctl(master, TIOCSPTLCK, scratch.address(scratch.zeroed(4)));
      long slave = ioctl(master, TIOCGPTPEER, flags | OpenFlags.O_CLOEXEC);
      return new Pty(master, Fd.own((int) slave));
    } catch (RuntimeException e) {
      master.close();
      throw e;
    }
  }

  @Override
  public WindowSize windowSize(Fd terminal) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(8);
      ioctl(terminal, TIOCGWINSZ, scratch.address(at));
      return new WindowSize(
          scratch.memory.getShort(at) & 0xffff, scratch.memory.getShort(at + 2) & 0xffff);
    }
  }

  @Override
  public void setWindowSize(Fd terminal, WindowSize size) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(8);
      scratch.memory.putShort(at, (short) size.rows());
      scratch.memory.putShort(at + 2, (short) size.columns());
      ioctl(terminal, TIOCSWINSZ, scratch.address(at));
    }
  }
}
