package io.jrt.core.life;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.security.Selinux;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The SELinux labels of those of the daemon's directories whose content containers see. A directory
 * hands its type on to all that is made in it, so the tops are labelled before anything is there.
 */
public final class ContentLabels {
  private static final String ATTRIBUTE = "security.selinux";

  private ContentLabels() {}

  /** Labels the directories, which exist; where SELinux is off or has no such types, none. */
  public static void apply(Kernel kernel, Selinux selinux, Path images, Path volumes) {
    label(kernel, images, selinux.images());
    label(kernel, volumes, selinux.volumes());
  }

  /** Gives a file or directory a label, unless that is empty or the file system has none. */
  static void label(Kernel kernel, Path path, String label) {
    if (label.isEmpty()) {
      return;
    }
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    byte[] value = (label + "\0").getBytes(StandardCharsets.UTF_8);
    try {
      byte[] present =
          kernel.files().getxattrat(Fd.CWD, name, ATTRIBUTE).orElseGet(() -> new byte[0]);
      if (!Arrays.equals(present, value)) {
        kernel.files().setxattrat(Fd.CWD, name, ATTRIBUTE, value);
      }
    } catch (KernelException e) {
      if (!e.is(Errno.EOPNOTSUPP)) {
        throw e;
      }
    }
  }
}
