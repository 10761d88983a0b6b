package io.jrt.core.life;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The names of block devices by their numbers. */
final class BlockDevices {
  private static final Path BY_NUMBER = Path.of("/sys/dev/block");

  private final Map<String, String> names = new ConcurrentHashMap<>();

  /** Such as {@code sda}; its numbers where the kernel knows it no more. */
  String name(int major, int minor) {
    return names.computeIfAbsent(major + ":" + minor, BlockDevices::look);
  }

  private static String look(String numbers) {
    try {
      return Files.readSymbolicLink(BY_NUMBER.resolve(numbers)).getFileName().toString();
    } catch (IOException gone) {
      return numbers;
    }
  }
}
