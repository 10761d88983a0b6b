package io.jrt.image.store;

import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.linux.Kernel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A pull in a process of its own, which ends as by SIGKILL at one passing of one step: {@code
 * PullChild ROOT IMAGE [STEP NUMBER]}. Prints the steps it passes.
 */
final class PullChild {
  private PullChild() {}

  private static ImageStoreConfig.Limits limits(long rangeBytes) {
    var defaults = ImageStoreConfig.Limits.DEFAULT;
    return new ImageStoreConfig.Limits(
        defaults.parallelPulls(),
        defaults.parallelLayers(),
        rangeBytes,
        defaults.bytesPerSecond(),
        defaults.noProgress(),
        defaults.maxLayerBytes(),
        defaults.maxLayerEntries(),
        defaults.maxExpansion(),
        defaults.keepFree());
  }

  public static void main(String[] arguments) {
    String last = arguments.length > 2 ? arguments[2] : "";
    var left = new AtomicInteger(arguments.length > 2 ? Integer.parseInt(arguments[3]) : 0);
    var config =
        new ImageStoreConfig(
            Path.of(arguments[0]),
            ImageStoreConfig.Registries.NONE,
            limits(
                Long.getLong("jrt.test.range-bytes", ImageStoreConfig.Limits.DEFAULT.rangeBytes())),
            List.of());
    try (var store =
        LocalImageStore.open(
            config,
            Kernel.open(),
            step -> {
              System.out.println("step " + step);
              if (step.equals(last) && left.decrementAndGet() == 0) {
                Runtime.getRuntime().halt(137);
              }
            })) {
      store.pull(PullRequest.of(arguments[1]), PullListener.NONE);
    }
  }
}
