package io.jrt.linux;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Named places in the code at which a test can make things go wrong.
 *
 * <p>A production daemon has none armed. A test arms them by {@code -Djrt.failpoints=} with entries
 * {@code name=action} separated by {@code ;}, where an action is {@code fail}, {@code fail(ms)} for
 * one that takes its time, {@code delay(ms)}, {@code hang} or {@code kill}, and {@code 3*kill} acts
 * at the third hit only.
 *
 * <p>With {@code -Djrt.failpoints.file=} the entries stand in a file that is read anew whenever it
 * changes, so that a test can arm and disarm a daemon that runs; the name of each place that is
 * passed is added as a line to the file of that name with {@code .seen} at its end.
 */
public final class FailPoints {
  private static final Pattern ENTRY =
      Pattern.compile(
          "([a-z0-9.-]+)=(?:([1-9][0-9]{0,6})\\*)?(fail|hang|kill|delay)(?:\\(([0-9]+)\\))?");

  /** What happens at a place. */
  public enum Action {
    /** The step fails with INTERNAL, after the delay if there is one. */
    FAIL,
    /** The step waits, and then goes on. */
    DELAY,
    /** The step waits until its thread is interrupted or the point is disarmed. */
    HANG,
    /** The daemon ends as by SIGKILL: no handler, no finally, nothing flushed. */
    KILL
  }

  private record Armed(
      Action action, Duration delay, AtomicInteger countdown, CountDownLatch disarmed) {}

  private final Map<String, Armed> armed = new ConcurrentHashMap<>();
  private final Set<String> seen = new ConcurrentSkipListSet<>();
  private final Optional<Path> file;
  private String lastText = "";

  private FailPoints(Optional<Path> file) {
    this.file = file;
  }

  /** None armed. */
  public static FailPoints none() {
    return new FailPoints(Optional.empty());
  }

  /**
   * As the system properties {@code jrt.failpoints} and {@code jrt.failpoints.file} say; none when
   * they are not set.
   */
  public static FailPoints fromSystemProperty() {
    FailPoints points =
        new FailPoints(
            Optional.ofNullable(System.getProperty("jrt.failpoints.file")).map(Path::of));
    points.armAll(System.getProperty("jrt.failpoints", ""));
    return points;
  }

  /** As the text says. */
  public static FailPoints parse(String text) {
    FailPoints points = none();
    points.armAll(text);
    return points;
  }

  private void armAll(String text) {
    for (String entry : text.split(";")) {
      if (entry.isBlank()) {
        continue;
      }
      Matcher matcher = ENTRY.matcher(entry.strip());
      if (!matcher.matches()) {
        throw new JrtException(
            ErrorKind.INVALID, "arm fail-points", "fail-point \"" + entry + "\" is malformed");
      }
      int nth = matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2));
      Action action =
          switch (matcher.group(3)) {
            case "fail" -> Action.FAIL;
            case "hang" -> Action.HANG;
            case "kill" -> Action.KILL;
            default -> Action.DELAY;
          };
      Duration delay =
          matcher.group(4) == null
              ? usualDelay(action)
              : Duration.ofMillis(Long.parseLong(matcher.group(4)));
      arm(matcher.group(1), action, nth, delay);
    }
  }

  /** Makes something go wrong at every hit from now on. */
  public void arm(String name, Action action) {
    arm(name, action, usualDelay(action));
  }

  /** The same after a time, or for that time. */
  public void arm(String name, Action action, Duration delay) {
    arm(name, action, 0, delay);
  }

  private static Duration usualDelay(Action action) {
    return action == Action.FAIL ? Duration.ZERO : Duration.ofMillis(100);
  }

  private void arm(String name, Action action, int nth, Duration delay) {
    armed.put(name, new Armed(action, delay, new AtomicInteger(nth), new CountDownLatch(1)));
  }

  /** Lets things go right again; who hangs there goes on. */
  public void disarm(String name) {
    Armed was = armed.remove(name);
    if (was != null) {
      was.disarmed().countDown();
    }
  }

  /** The names of the places that were passed so far, for tests that walk all of them. */
  public Set<String> seen() {
    return Set.copyOf(seen);
  }

  /** A place. */
  public void hit(String name) {
    seen.add(name);
    file.ifPresent(place -> consult(place, name));
    Armed here = armed.get(name);
    if (here == null || !isTurn(here)) {
      return;
    }
    switch (here.action()) {
      case FAIL -> {
        pause(here, here.delay());
        throw new JrtException(ErrorKind.INTERNAL, name, "fail-point " + name + " is armed");
      }
      case DELAY -> pause(here, here.delay());
      case HANG -> pause(here, Duration.ofDays(1));
      case KILL -> Runtime.getRuntime().halt(137);
    }
  }

  /** Notes the name, and arms and disarms as the file says by now. */
  private synchronized void consult(Path place, String name) {
    try {
      Files.writeString(
          place.resolveSibling(place.getFileName() + ".seen"),
          name + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INTERNAL, "arm fail-points", "cannot note " + place + ": " + e.getMessage(), e);
    }
    refresh(place);
  }

  private synchronized void refresh(Path place) {
    try {
      follow(Files.exists(place) ? Files.readString(place, StandardCharsets.UTF_8) : "");
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INTERNAL, "arm fail-points", "cannot read " + place + ": " + e.getMessage(), e);
    }
  }

  private void follow(String text) {
    if (!text.equals(lastText)) {
      armed.keySet().forEach(this::disarm);
      lastText = text;
      armAll(text);
    }
  }

  /** At 0 every hit acts; from n on it counts down, acts at the nth hit and never again. */
  private static boolean isTurn(Armed here) {
    int before = here.countdown().getAndUpdate(n -> n > 1 ? n - 1 : n == 1 ? -1 : n);
    return before == 0 || before == 1;
  }

  private void pause(Armed here, Duration time) {
    try {
      long until = System.nanoTime() + time.toNanos();
      while (System.nanoTime() < until
          && !here.disarmed().await(Math.min(time.toMillis(), 50), TimeUnit.MILLISECONDS)) {
        if (file.isPresent()) {
          refresh(file.get());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "fail-point", "interrupted while it hung", e);
    }
  }
}
