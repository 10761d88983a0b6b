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
 * Each target with mutations of its seeds: the same ones in each run, for a moment; with {@code
 * -Djrt.fuzz.seconds=N} new ones for so long, and {@code -Djrt.fuzz.seed=N} begins at a found one.
 */
class FuzzIT {
  private static final long SEED = Long.getLong("jrt.fuzz.seed", 1);
  private static final long SECONDS = Long.getLong("jrt.fuzz.seconds", 0);
  private static final int ROUNDS = 3000;
  private static final Duration SLOW = Duration.ofSeconds(5);

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource
  void anyBytesAreReadOrRefused(Target target) {
    target.seeds().forEach(seed -> feed(target, seed, 0));
    feed(target, new byte[0], 0);
    long until = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
    long seed = SEED;
    long rounds = 0;
    do {
      Mutator mutator = new Mutator(new SplittableRandom(seed), target.seeds());
      for (int i = 0; i < ROUNDS && (SECONDS == 0 || System.nanoTime() < until); i++) {
        feed(target, mutator.next(), seed);
        rounds++;
      }
      seed++;
    } while (System.nanoTime() < until);
    System.out.printf("%s: %d inputs%n", target, rounds);
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
