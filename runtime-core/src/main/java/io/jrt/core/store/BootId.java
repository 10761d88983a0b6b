package io.jrt.core.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The kernel's name for this boot: what was running under another one is not running now. */
public final class BootId {
  private BootId() {}

  public static String current() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, "read boot id", "cannot read the boot id", e);
    }
  }
}
