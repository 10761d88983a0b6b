package io.jrt.linux;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * An open file descriptor of this process, owned by this object: it is closed exactly once, by
 * {@link #close()}, and never again after {@link #detach()} gave the number away.
 *
 * <p>Every descriptor made through this package is close-on-exec. With {@code
 * -Djrt.fd.leakcheck=true} a descriptor that is garbage-collected unclosed is closed and reported
 * on standard error with the stack trace of its making.
 */
public final class Fd implements AutoCloseable {
  /** Stands for the current directory (AT_FDCWD) in the {@code *at} calls; cannot be closed. */
  public static final Fd CWD = new Fd(-100, null);

  private static final int CLOSED = -1;
  private static final VarHandle VALUE;
  private static final @Nullable Cleaner LEAKS =
      Boolean.getBoolean("jrt.fd.leakcheck") ? Cleaner.create() : null;

  static {
    try {
      VALUE = MethodHandles.lookup().findVarHandle(Fd.class, "value", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile int value;
  private final @Nullable Leak leak;

  private Fd(int value, @Nullable Leak leak) {
    this.value = value;
    this.leak = leak;
  }

  /** Takes ownership of an open descriptor. */
  public static Fd own(int value) {
    if (value < 0) {
      throw new IllegalArgumentException("not a descriptor: " + value);
    }
    if (LEAKS == null) {
      return new Fd(value, null);
    }
    Leak watched = new Leak(value, new Throwable("descriptor " + value + " was opened here"));
    Fd fd = new Fd(value, watched);
    LEAKS.register(fd, watched);
    return fd;
  }

  /**
   * The number, valid until {@link #close()}.
   *
   * @throws IllegalStateException when it was closed or given away: a stale number would be some
   *     other file by now
   */
  public int value() {
    int v = value;
    if (v == CLOSED) {
      throw new IllegalStateException("file descriptor is closed");
    }
    return v;
  }

  public boolean isOpen() {
    return value != CLOSED;
  }

  /** Gives the number away: the caller owns it now and this object is as if closed. */
  public int detach() {
    int v = take();
    if (v == CLOSED) {
      throw new IllegalStateException("file descriptor is closed");
    }
    return v;
  }

  /** {@code /proc/self/fd/N}: a path to the same file, for calls that know no descriptors. */
  public String procPath() {
    return "/proc/self/fd/" + value();
  }

  /**
   * Closes it; a second call does nothing. An error of close(2) is not reported: the descriptor is
   * gone in any case, and data that must be safe on disk was synced before.
   */
  @Override
  public void close() {
    int v = take();
    if (v >= 0) {
      Native.close(v);
    }
  }

  private int take() {
    if (this == CWD) {
      return -100;
    }
    int v = (int) VALUE.getAndSet(this, CLOSED);
    if (leak != null) {
      leak.settled = true;
    }
    return v;
  }

  @Override
  public String toString() {
    int v = value;
    return v == CLOSED ? "closed fd" : this == CWD ? "cwd" : "fd " + v;
  }

  /** Runs when an {@link Fd} became unreachable. */
  private static final class Leak implements Runnable {
    private final int value;
    private final Throwable opened;
    private volatile boolean settled;

    Leak(int value, Throwable opened) {
      this.value = value;
      this.opened = opened;
    }

    @Override
    public void run() {
      if (!settled) {
        Native.close(value);
        System.getLogger(Fd.class.getName())
            .log(
                System.Logger.Level.ERROR,
                "file descriptor " + value + " was never closed",
                opened);
      }
    }
  }
}
