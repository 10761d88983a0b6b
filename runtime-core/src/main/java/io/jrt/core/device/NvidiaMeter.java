package io.jrt.core.device;

import io.jrt.linux.Nvml;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What NVIDIA's library says of the GPUs, asked at most once in a while and never waited for long:
 * a GPU that has failed can hold up whoever asks for it. While a question is not answered no other
 * is put, and nothing is known.
 */
final class NvidiaMeter {
  private static final Logger log = LoggerFactory.getLogger(NvidiaMeter.class);
  private static final Duration FRESH = Duration.ofSeconds(2);

  private final Supplier<Optional<Nvml>> library;
  private final Duration patience;
  private volatile Optional<Nvml> loaded = Optional.empty();
  private List<Nvml.Device> last = List.of();
  private long since;
  private Optional<FutureTask<List<Nvml.Device>>> unanswered = Optional.empty();

  NvidiaMeter(Supplier<Optional<Nvml>> library, Duration patience) {
    this.library = library;
    this.patience = patience;
    this.since = System.nanoTime() - FRESH.toNanos();
  }

  synchronized List<Nvml.Device> devices() {
    if (System.nanoTime() - since < FRESH.toNanos()) {
      return last;
    }
    if (unanswered.filter(task -> !task.isDone()).isPresent()) {
      return List.of();
    }
    last = ask();
    since = System.nanoTime();
    return last;
  }

  private List<Nvml.Device> ask() {
    FutureTask<List<Nvml.Device>> task =
        new FutureTask<>(
            () -> {
              if (loaded.isEmpty()) {
                loaded = library.get(); // the driver may come later than the daemon
              }
              return loaded.map(Nvml::devices).orElse(List.of());
            });
    Thread.ofPlatform().name("nvml").daemon().start(task);
    try {
      unanswered = Optional.empty();
      return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      unanswered = Optional.of(task);
      log.warn("NVIDIA's library does not answer within {} ms", patience.toMillis());
    } catch (InterruptedException e) {
      unanswered = Optional.of(task);
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      log.warn("NVIDIA's library cannot be asked", e.getCause());
    }
    return List.of();
  }
}
