package io.jrt.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each target with mutations of its seeds, the same ones in each run, for a moment; {@code
 * -Djrt.fuzz.seed=N} gives others. {@code make fuzz} searches for longer, led by what code is met.
 */
class FuzzIT {
  private static final long SEED = Long.getLong("jrt.fuzz.seed", 1);
  private static final int ROUNDS = 3000;
  private static final Duration SLOW = Duration.ofSeconds(5);

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource
  void anyBytesAreReadOrRefused(Target target) {
    target.seeds().forEach(seed -> feed(target, seed, 0));
    feed(target, new byte[0], 0);
    Mutator mutator = new Mutator(new SplittableRandom(SEED), target.seeds());
    for (int i = 0; i < ROUNDS; i++) {
      feed(target, mutator.next(), SEED);
    }
  }

  private void feed(Target target, byte[] bytes, long seed) {
    long began = cpuNanos();
    try {
      target.feed(directory, bytes);
    } catch (RuntimeException | Error finding) {
      throw new AssertionError(
          "%s, seed %d, %d bytes: %s"
              .formatted(
                  target,
                  seed,
                  bytes.length,
                  HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, 4096))),
          finding);
    }
    assertThat(Duration.ofNanos(cpuNanos() - began)).as(target + " is slow").isLessThan(SLOW);
  }

  /** Time on a processor: a busy machine makes no parser slow. */
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  @Test
  void seedsAreWellFormed() {
    assertThat(Target.values()).allSatisfy(target -> assertThat(target.seeds()).isNotEmpty());
  }
}
