package io.jrt.core.cgroup;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import java.nio.file.Path;
import java.util.List;

/** The sizes of huge pages a machine has, in the words of the hugetlb controller. */
final class HugepageSizes {
  private static final String PREFIX = "hugepages-";

  private HugepageSizes() {}

  static List<String> of(Files files) {
    try (Fd dir = files.openDirectory(Path.of("/sys/kernel/mm/hugepages"))) {
      return files.list(dir).stream()
          .map(entry -> entry.name().toString())
          .filter(name -> name.startsWith(PREFIX) && name.endsWith("kB"))
          .map(name -> word(Long.parseLong(name, PREFIX.length(), name.length() - 2, 10)))
          .sorted()
          .toList();
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return List.of();
      }
      throw e;
    }
  }

  private static String word(long kib) {
    if (kib >= 1 << 20) {
      return (kib >> 20) + "GB";
    }
    return kib >= 1 << 10 ? (kib >> 10) + "MB" : kib + "KB";
  }
}
