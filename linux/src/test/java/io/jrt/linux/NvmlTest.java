package io.jrt.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a library of the test's own with the functions and structures of NVIDIA's header. */
class NvmlTest {
  private static final String SOURCE =
      """
      #include <string.h>
      typedef struct { unsigned long long total, free, used; } memory;
      typedef struct { unsigned int gpu, memory; } rates;
      static int open;
      static long handles[3] = {1, 2, 3};
      int nvmlInit_v2(void) { open++; return 0; }
      int nvmlShutdown(void) { open--; return 0; }
      int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return open == 1 ? 0 : 1; }
      int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = &handles[i]; return 0; }
      int nvmlDeviceGetUUID(long *d, char *text, unsigned n) {
        const char *names[] = {"", "GPU-1", "GPU-2", "MIG-3"};
        if (n < 80) return 7;
        strcpy(text, names[*d]);
        return 0;
      }
      int nvmlDeviceGetMemoryInfo(long *d, memory *m) {
        m->total = 1000 * *d; m->free = 900 * *d; m->used = 100 * *d;
        return 0;
      }
      int nvmlDeviceGetUtilizationRates(long *d, rates *r) {
        r->gpu = 42; r->memory = 7;
        return *d == 1 ? 0 : 3;
      }
      #ifndef OLD
      int nvmlDeviceGetMaxMigDeviceCount(long *d, unsigned *n) { *n = *d == 2 ? 7 : 0; return 0; }
      int nvmlDeviceGetMigDeviceHandleByIndex(long *d, unsigned i, void **p) {
        *p = &handles[2];
        return i == 0 ? 0 : 6;
      }
      int nvmlDeviceGetGpuInstanceId(long *d, unsigned *id) { *id = 9; return 0; }
      int nvmlDeviceGetComputeInstanceId(long *d, unsigned *id) { *id = 0; return 0; }
      #endif
      """;

  @TempDir Path directory;

  private Nvml library(String name, String... flags) throws IOException, InterruptedException {
    Path source = Files.writeString(directory.resolve(name + ".c"), SOURCE);
    Path file = directory.resolve(name + ".so");
    var command = new ArrayList<>(List.of("gcc", "-shared", "-fPIC"));
    command.addAll(List.of(flags));
    command.addAll(List.of("-o", file.toString(), source.toString()));
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    return Nvml.load(file.toString()).orElseThrow();
  }

  @Test
  void saysWhatIsInUse() throws Exception {
    Nvml nvml = library("new");
    assertThat(nvml.devices())
        .containsExactly(
            new Nvml.Device("GPU-1", 1000, 100, OptionalInt.of(42), List.of()),
            new Nvml.Device(
                "GPU-2",
                2000,
                200,
                OptionalInt.empty(),
                List.of(new Nvml.Part("MIG-3", 9, 0, 3000, 300))));
    assertThat(nvml.devices()).hasSize(2); // it was shut in between
  }

  @Test
  void libraryWithoutPartsIsGoodToo() throws Exception {
    assertThat(library("old", "-DOLD").devices())
        .hasSize(2)
        .allSatisfy(device -> assertThat(device.parts()).isEmpty());
  }

  @Test
  void noLibraryIsNoError() {
    assertThat(Nvml.load(directory.resolve("none.so").toString())).isEmpty();
    assertThat(Nvml.load("libjrt-there-is-none.so.1")).isEmpty();
  }
}
