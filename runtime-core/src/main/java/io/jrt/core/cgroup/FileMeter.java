package io.jrt.core.cgroup;

import io.jrt.core.Psi;
import io.jrt.linux.Errno;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the meters of both versions share: open files, and those of the v2 hierarchy. */
abstract class FileMeter implements CgroupMeter {
  private static final MeterText.Keys EVENTS = MeterText.Keys.of("max");

  private final Files files;
  private final List<MeterFile> open = new ArrayList<>();
  private final MeterFile cpuPressure;
  private final MeterFile memoryPressure;
  private final MeterFile ioPressure;
  private final List<HugepageFiles> hugepages = new ArrayList<>();
  private boolean closed;

  private record HugepageFiles(String size, MeterFile current, MeterFile events) {}

  FileMeter(Files files, @Nullable CgroupDir unified) {
    this.files = files;
    this.cpuPressure = open(unified, "cpu.pressure");
    this.memoryPressure = open(unified, "memory.pressure");
    this.ioPressure = open(unified, "io.pressure");
  }

  final MeterFile open(@Nullable CgroupDir dir, String name) {
    try {
      MeterFile file = MeterFile.open(files, dir, name);
      open.add(file);
      return file;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  final void unifiedHugepages(@Nullable CgroupDir dir, String size) {
    MeterFile current = open(dir, "hugetlb." + size + ".current");
    if (current.isThere()) {
      hugepages.add(new HugepageFiles(size, current, open(dir, "hugetlb." + size + ".events")));
    }
  }

  @Override
  public final synchronized Optional<CgroupStats> read() {
    if (closed) {
      return Optional.empty();
    }
    try {
      return Optional.of(measure(new MeterText(), Instant.now()));
    } catch (KernelException e) {
      if (e.is(Errno.ENODEV, Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  abstract CgroupStats measure(MeterText text, Instant at);

  final Optional<Psi> cpuPressure(MeterText text) {
    return cpuPressure.read(text).pressure();
  }

  final Optional<Psi> memoryPressure(MeterText text) {
    return memoryPressure.read(text).pressure();
  }

  final Optional<Psi> ioPressure(MeterText text) {
    return ioPressure.read(text).pressure();
  }

  final List<CgroupStats.Hugepages> unifiedHugepages(MeterText text) {
    List<CgroupStats.Hugepages> found = new ArrayList<>();
    for (HugepageFiles one : hugepages) {
      found.add(
          new CgroupStats.Hugepages(
              one.size(),
              one.current().read(text).number(),
              one.events().read(text).values(EVENTS)[0]));
    }
    return found;
  }

  @Override
  public final synchronized void close() {
    closed = true;
    open.forEach(MeterFile::close);
  }
}
