package io.jrt.cli;

import io.jrt.admin.v1.ContainerUse;
import io.jrt.admin.v1.StatsResponse;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** What containers used at the last looks, and the rates between them. */
final class UseHistory {
  private static final int KEPT = 20;
  private static final String BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";

  private Optional<StatsResponse> before = Optional.empty();
  private Optional<StatsResponse> now = Optional.empty();

  /** Percent of one processor at each look, by container. */
  private final Map<String, Deque<Double>> processor = new HashMap<>();

  boolean isEmpty() {
    return now.isEmpty();
  }

  void add(StatsResponse look) {
    before = now;
    now = Optional.of(look);
    Map<String, Deque<Double>> old = Map.copyOf(processor);
    processor.clear();
    for (ContainerUse use : look.getContainersList()) {
      Deque<Double> values = old.getOrDefault(use.getId(), new ArrayDeque<>());
      earlier(use).ifPresent(_ -> values.add(busy(use)));
      if (values.size() > KEPT) {
        values.remove();
      }
      processor.put(use.getId(), values);
    }
  }

  private Optional<ContainerUse> earlier(ContainerUse use) {
    return before.stream()
        .flatMap(look -> look.getContainersList().stream())
        .filter(other -> other.getId().equals(use.getId()))
        .findFirst();
  }

  /** How much more a second; 0 where there was no look before. */
  private double rate(ContainerUse use, ToLongFunction<ContainerUse> count) {
    Optional<ContainerUse> earlier = earlier(use);
    if (earlier.isEmpty()) {
      return 0;
    }
    double seconds = (now.orElseThrow().getAt() - before.orElseThrow().getAt()) / 1_000_000_000.0;
    long grown = count.applyAsLong(use) - count.applyAsLong(earlier.get());
    return seconds <= 0 ? 0 : Math.max(0, grown) / seconds;
  }

  private double busy(ContainerUse use) {
    return rate(use, ContainerUse::getCpuNanos) / 1e7;
  }

  private List<ContainerUse> containers() {
    return now.map(StatsResponse::getContainersList).orElse(List.of());
  }

  /** One line about all of them. */
  String summary() {
    double cpu = containers().stream().mapToDouble(this::busy).sum();
    long memory = containers().stream().mapToLong(ContainerUse::getMemoryBytes).sum();
    return "%d containers, cpu %s, memory %s"
        .formatted(containers().size(), percent(cpu), Words.size(memory));
  }

  /**
   * A row for each.
   *
   * @param live the busiest first, with the course of its processor time; else by pod and name
   */
  Table table(boolean live) {
    Table table =
        live
            ? new Table(
                "CONTAINER",
                "POD",
                "NAME",
                "CPU",
                "COURSE",
                "MEMORY",
                "LIMIT",
                "MEM",
                "NET RX",
                "NET TX",
                "READ",
                "WRITTEN",
                "PIDS",
                "PSI C/M/I")
            : new Table(
                "CONTAINER",
                "POD",
                "NAME",
                "CPU",
                "MEMORY",
                "LIMIT",
                "MEM",
                "NET RX",
                "NET TX",
                "READ",
                "WRITTEN",
                "DISK",
                "PIDS",
                "PSI C/M/I");
    Comparator<ContainerUse> order =
        live
            ? Comparator.<ContainerUse>comparingDouble(this::busy).reversed()
            : Comparator.comparing(ContainerUse::getNamespace)
                .thenComparing(ContainerUse::getPod)
                .thenComparing(ContainerUse::getName);
    containers().stream()
        .sorted(order)
        .forEach(
            use -> {
              if (live) {
                table.row(
                    Words.shortId(use.getId()),
                    pod(use),
                    use.getName(),
                    percent(busy(use)),
                    course(processor.getOrDefault(use.getId(), new ArrayDeque<>())),
                    Words.size(use.getMemoryBytes()),
                    limit(use),
                    share(use),
                    perSecond(rate(use, ContainerUse::getRxBytes)),
                    perSecond(rate(use, ContainerUse::getTxBytes)),
                    perSecond(rate(use, ContainerUse::getReadBytes)),
                    perSecond(rate(use, ContainerUse::getWrittenBytes)),
                    Long.toString(use.getProcesses()),
                    pressure(use));
              } else {
                table.row(
                    Words.shortId(use.getId()),
                    pod(use),
                    use.getName(),
                    percent(busy(use)),
                    Words.size(use.getMemoryBytes()),
                    limit(use),
                    share(use),
                    Words.size(use.getRxBytes()),
                    Words.size(use.getTxBytes()),
                    Words.size(use.getReadBytes()),
                    Words.size(use.getWrittenBytes()),
                    Words.size(use.getDiskBytes())
                        + (use.getDiskLimit() > 0 ? " / " + Words.size(use.getDiskLimit()) : ""),
                    Long.toString(use.getProcesses()),
                    pressure(use));
              }
            });
    return table;
  }

  private static String pod(ContainerUse use) {
    return use.getNamespace() + "/" + use.getPod();
  }

  private static String limit(ContainerUse use) {
    return use.getMemoryLimit() <= 0 ? "-" : Words.size(use.getMemoryLimit());
  }

  private static String share(ContainerUse use) {
    return use.getMemoryLimit() <= 0
        ? "-"
        : percent(100.0 * use.getMemoryBytes() / use.getMemoryLimit());
  }

  private static String percent(double value) {
    return String.format(Locale.ROOT, "%.1f%%", value);
  }

  private static String perSecond(double bytes) {
    return Words.size((long) bytes) + "/s";
  }

  private static String pressure(ContainerUse use) {
    return String.format(
        Locale.ROOT,
        "%.0f/%.0f/%.0f",
        use.getCpuPressure(),
        use.getMemoryPressure(),
        use.getIoPressure());
  }

  /** A bar for each look, the highest one full, and full for no less than one percent. */
  static String course(Deque<Double> values) {
    double most = Math.max(1, values.stream().mapToDouble(Double::doubleValue).max().orElse(0));
    StringBuilder bars = new StringBuilder();
    for (double value : values) {
      int height = (int) Math.round(value / most * (BARS.length() - 1));
      bars.append(BARS.charAt(Math.clamp(height, 0, BARS.length() - 1)));
    }
    return bars.toString();
  }
}
