package io.jrt.core.launch;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.MountAttributes;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Seal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The program jrt-init as an open file that no container can change, whatever it does with its
 * /proc/self/exe (CVE-2019-5736): a sealed copy in memory, or where the system forbids executing
 * those, the file itself through a read-only mount of its own.
 */
final class InitBinary {
  private InitBinary() {}

  static Fd open(Kernel kernel, Path program) {
    Files files = kernel.files();
    byte[] content;
    try {
      content = java.nio.file.Files.readAllBytes(program);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "open jrt-init",
          "cannot read " + program,
          "jrtd's libexec directory is incomplete",
          e);
    }
    try (Fd copy = files.memfdCreate("jrt-init", true)) {
      files.writeFully(copy, ByteBuffer.wrap(content));
      files.fchmod(copy, 0555);
      files.addSeals(copy, Seal.ALL);
      // A file that is open for writing anywhere cannot be executed.
      return files.openat(Fd.CWD, copy.procPath(), OpenFlags.O_RDONLY);
    } catch (KernelException e) {
      if (!e.is(Errno.EACCES, Errno.EPERM, Errno.EINVAL)) {
        throw e;
      }
      return readOnlyMount(kernel, program);
    }
  }

  private static Fd readOnlyMount(Kernel kernel, Path program) {
    Fd mount = kernel.mounts().bindClone(program, false);
    try {
      kernel.mounts().setAttributes(mount, MountAttributes.readOnly(), false);
      return mount;
    } catch (KernelException e) {
      mount.close();
      throw e;
    }
  }
}
