package io.jrt.linux;

/** Flags of splice(2) and tee(2). */
public final class Splice {
  public static final int SPLICE_F_MOVE = 1;
  public static final int SPLICE_F_NONBLOCK = 2;
  public static final int SPLICE_F_MORE = 4;

  private Splice() {}
}
