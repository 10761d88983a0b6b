package io.jrt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongFunction;
import jnr.ffi.LibraryLoader;

/**
 * NVIDIA's management library ({@code libnvidia-ml.so.1}), which a driver brings along: what its
 * GPUs have in use. It is opened for each question, because who has it open keeps the driver from
 * being unloaded. A question may take seconds, and for ever where a GPU is broken: ask on a thread
 * that can be given up.
 */
public final class Nvml {
  private static final int SUCCESS = 0;
  private static final int TEXT = 96;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  private final LibNvml library;

  private Nvml(LibNvml library) {
    this.library = library;
  }

  /**
   * A GPU.
   *
   * @param memoryUsed bytes, 0 when not known, as are all
   * @param busyPercent of the last moments in which it computed; empty when it does not say
   */
  public record Device(
      String uuid, long memoryBytes, long memoryUsed, OptionalInt busyPercent, List<Part> parts) {
    public Device {
      parts = List.copyOf(parts);
    }
  }

  /** A compute instance of a GPU that is divided, by the numbers the driver gave it. */
  public record Part(
      String uuid, int gpuInstance, int computeInstance, long memoryBytes, long memoryUsed) {}

  /**
   * Loads the library.
   *
   * @param file its path, or its name for the loader to find
   */
  public static Optional<Nvml> load(String file) {
    Native.load();
    try {
      return Optional.of(
          new Nvml(LibraryLoader.create(LibNvml.class).failImmediately().load(file)));
    } catch (LinkageError e) {
      return Optional.empty(); // no driver, or one without it
    }
  }

  /** The GPUs; none where the library cannot reach the driver. */
  public List<Device> devices() {
    if (library.nvmlInit_v2() != SUCCESS) {
      return List.of();
    }
    try (Arena arena = Arena.ofConfined()) {
      List<Device> devices = new ArrayList<>();
      int count = number(arena, library::nvmlDeviceGetCount_v2).orElse(0);
      for (int i = 0; i < count; i++) {
        MemorySegment handle = arena.allocate(LONG);
        if (library.nvmlDeviceGetHandleByIndex_v2(i, handle.address()) == SUCCESS) {
          devices.add(device(arena, handle.get(LONG, 0)));
        }
      }
      return devices;
    } finally {
      library.nvmlShutdown();
    }
  }

  private Device device(Arena arena, long handle) {
    long[] memory = memory(arena, handle);
    MemorySegment rates = arena.allocate(INT, 2);
    boolean known = library.nvmlDeviceGetUtilizationRates(handle, rates.address()) == SUCCESS;
    return new Device(
        uuid(arena, handle),
        memory[0],
        memory[1],
        known ? OptionalInt.of(rates.get(INT, 0)) : OptionalInt.empty(),
        parts(arena, handle));
  }

  private List<Part> parts(Arena arena, long device) {
    List<Part> parts = new ArrayList<>();
    int most;
    try {
      most = number(arena, out -> library.nvmlDeviceGetMaxMigDeviceCount(device, out)).orElse(0);
    } catch (UnsatisfiedLinkError e) {
      return parts; // a driver from before GPUs could be divided
    }
    for (int i = 0; i < most; i++) {
      MemorySegment handle = arena.allocate(LONG);
      if (library.nvmlDeviceGetMigDeviceHandleByIndex(device, i, handle.address()) != SUCCESS) {
        continue;
      }
      long part = handle.get(LONG, 0);
      OptionalInt outer = number(arena, out -> library.nvmlDeviceGetGpuInstanceId(part, out));
      OptionalInt inner = number(arena, out -> library.nvmlDeviceGetComputeInstanceId(part, out));
      if (outer.isPresent() && inner.isPresent()) {
        long[] memory = memory(arena, part);
        parts.add(
            new Part(uuid(arena, part), outer.getAsInt(), inner.getAsInt(), memory[0], memory[1]));
      }
    }
    return parts;
  }

  private String uuid(Arena arena, long handle) {
    MemorySegment text = arena.allocate(TEXT);
    return library.nvmlDeviceGetUUID(handle, text.address(), TEXT) == SUCCESS
        ? text.getString(0)
        : "";
  }

  /** Total and used of {@code nvmlMemory_t}: total, free, used. */
  private long[] memory(Arena arena, long handle) {
    MemorySegment memory = arena.allocate(LONG, 3);
    return library.nvmlDeviceGetMemoryInfo(handle, memory.address()) == SUCCESS
        ? new long[] {memory.get(LONG, 0), memory.get(LONG, 16)}
        : new long[2];
  }

  private static OptionalInt number(Arena arena, LongFunction<Integer> call) {
    MemorySegment out = arena.allocate(INT);
    return call.apply(out.address()) == SUCCESS
        ? OptionalInt.of(out.get(INT, 0))
        : OptionalInt.empty();
  }
}
