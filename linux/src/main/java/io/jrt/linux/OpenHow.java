package io.jrt.linux;

/**
 * How openat2(2) opens: like open(2), plus limits on the way the path may go.
 *
 * @param flags {@link OpenFlags}; O_CLOEXEC is added
 * @param mode permission bits of a file that is created, else 0
 * @param resolve the {@code RESOLVE_*} bits
 */
public record OpenHow(int flags, int mode, int resolve) {
  /** Not across mount points, bind mounts included. */
  public static final int RESOLVE_NO_XDEV = 0x01;

  /** Not through the links of /proc that jump. */
  public static final int RESOLVE_NO_MAGICLINKS = 0x02;

  /** Through no symbolic link at all. */
  public static final int RESOLVE_NO_SYMLINKS = 0x04;

  /** Never above the directory: {@code ..} and absolute links that would are an error (EXDEV). */
  public static final int RESOLVE_BENEATH = 0x08;

  /** The directory is the root: {@code ..} and absolute links stay in it, as after chroot. */
  public static final int RESOLVE_IN_ROOT = 0x10;

  /** Only if the path is wholly cached, else EAGAIN. */
  public static final int RESOLVE_CACHED = 0x20;

  /** Resolution as a process chrooted into the directory would see it, minus magic links. */
  public static OpenHow inRoot(int flags) {
    return new OpenHow(flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  }

  /** Resolution that fails when it would leave the directory or meets any symbolic link. */
  public static OpenHow beneathWithoutLinks(int flags) {
    return new OpenHow(flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  }
}
