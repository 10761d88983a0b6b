package io.jrt.server.cri;

import io.jrt.core.ContainerStats;
import io.jrt.core.HugepageStats;
import io.jrt.core.IoStats;
import io.jrt.core.LinuxResources;
import io.jrt.core.Measurement;
import io.jrt.cri.v1.MetricType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * A metric of something: as many values as there are, none where the kernel does not tell.
 *
 * @param labels those that only this metric has
 */
record Measure<S>(
    String metric,
    String help,
    MetricType type,
    List<String> labels,
    Function<S, Stream<Value>> values) {

  /** A value and those labels that only its metric has. */
  record Value(long number, List<String> labels) {}

  static Measure<ContainerStats> counter(
      String metric, String help, Function<ContainerStats, Stream<Value>> values) {
    return new Measure<>(metric, help, MetricType.COUNTER, List.of(), values);
  }

  static Measure<ContainerStats> gauge(
      String metric, String help, Function<ContainerStats, Stream<Value>> values) {
    return new Measure<>(metric, help, MetricType.GAUGE, List.of(), values);
  }

  static Measure<ContainerStats> more(
      String metric, String help, boolean counts, ToLongFunction<Measurement> value) {
    return new Measure<>(
        metric,
        help,
        counts ? MetricType.COUNTER : MetricType.GAUGE,
        List.of(),
        stats -> single(stats.more().map(value::applyAsLong), 1));
  }

  static Measure<ContainerStats> optional(
      String metric, String help, Function<Measurement, OptionalLong> value) {
    return gauge(
        metric,
        help,
        stats ->
            stats.more().stream()
                .flatMapToLong(more -> value.apply(more).stream())
                .mapToObj(number -> new Value(number, List.of())));
  }

  static Measure<ContainerStats> spec(
      String metric, String help, ToLongFunction<LinuxResources> value) {
    return more(metric, help, false, more -> Math.max(0, value.applyAsLong(more.resources())));
  }

  static Measure<ContainerStats> device(
      String metric, String help, ToLongFunction<IoStats.Device> value) {
    return new Measure<>(
        metric,
        help,
        MetricType.COUNTER,
        List.of("device"),
        stats ->
            stats.io().stream()
                .flatMap(io -> io.devices().stream())
                .map(
                    device ->
                        new Value(value.applyAsLong(device), List.of("/dev/" + device.name()))));
  }

  static List<String> place(IoStats.Device device, String operation) {
    return List.of(
        "/dev/" + device.name(),
        Integer.toString(device.major()),
        Integer.toString(device.minor()),
        operation);
  }

  /** The value in other units, if there is one. */
  static Stream<Value> single(Optional<Long> number, long divisor) {
    return number.map(value -> new Value(value / divisor, List.of())).stream();
  }

  static Measure<ContainerStats> huge(
      String metric, String help, MetricType type, ToLongFunction<HugepageStats> value) {
    return new Measure<>(
        metric,
        help,
        type,
        List.of("pagesize"),
        stats ->
            stats.more().stream()
                .flatMap(more -> more.hugepages().stream())
                .map(huge -> new Value(value.applyAsLong(huge), List.of(huge.pageSize()))));
  }
}
