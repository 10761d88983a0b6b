package io.jrt.core.life;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Libraries of this machine that stand in for a driver's. */
final class DeviceLibraries {
  private DeviceLibraries() {}

  static Path libc() {
    return List.of(
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib/aarch64-linux-gnu/libc.so.6",
            "/lib64/libc.so.6")
        .stream()
        .map(Path::of)
        .filter(Files::exists)
        .findFirst()
        .orElseThrow();
  }
}
