package io.jrt.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.io.LogReader.Query;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class LogReaderTest {
  @TempDir private Path directory;

  @Test
  void readsWhatTheFormatAllows() throws Exception {
    write(
        """
        2026-01-01T00:00:00Z stdout F plain
        2026-01-01T00:00:01.5+02:00 stderr P:x piece of\s
        not a line
        2026-01-01T00:00:02.123456789Z stdout F\s
        """);
    List<LogReader.Entry> entries = new ArrayList<>();
    LogReader.read(file(), Query.ALL, () -> true, entries::add);
    assertThat(entries).hasSize(3);
    assertThat(entries.get(0).content().text()).isEqualTo("plain");
    assertThat(entries.get(1).partial()).isTrue();
    assertThat(entries.get(1).time()).isEqualTo(Instant.parse("2025-12-31T22:00:01.5Z"));
    assertThat(entries.get(2).content().isEmpty()).isTrue();
  }

  @Test
  void tailAndSinceLimitWhatComes() throws Exception {
    StringBuilder log = new StringBuilder();
    for (int i = 0; i < 5000; i++) {
      log.append("2026-01-01T00:%02d:%02dZ stdout F %d%n".formatted(i / 60 % 60, i % 60, i));
    }
    write(log.toString());
    assertThat(read(new Query(3, Instant.MIN, false))).containsExactly("4997", "4998", "4999");
    assertThat(read(new Query(0, Instant.MIN, false))).isEmpty();
    assertThat(read(new Query(9999, Instant.MIN, false))).hasSize(5000);
    assertThat(read(new Query(10, Instant.parse("2026-01-01T00:23:18Z"), false)))
        .containsExactly("4998", "4999");
  }

  @Test
  void followsAcrossRotation() throws Exception {
    write("2026-01-01T00:00:00Z stdout F one\n");
    List<String> seen = new CopyOnWriteArrayList<>();
    AtomicBoolean live = new AtomicBoolean(true);
    Thread reader =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    LogReader.read(
                        file(),
                        new Query(-1, Instant.MIN, true),
                        live::get,
                        entry -> seen.add(entry.content().text()));
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    await(seen, 1);
    write("2026-01-01T00:00:01Z stdout F two\n");
    await(seen, 2);
    Path rotated = directory.resolve("0.log.1");
    Files.move(file(), rotated);
    Files.writeString(rotated, "2026-01-01T00:00:02Z stdout F three\n", StandardOpenOption.APPEND);
    write("2026-01-01T00:00:03Z stdout F four\n");
    await(seen, 4);
    write("2026-01-01T00:00:04Z stdout F five\n");
    live.set(false);
    reader.join();
    assertThat(seen).containsExactly("one", "two", "three", "four", "five");
  }

  @Test
  void aMissingFileIsNotFound() {
    assertThatThrownBy(() -> read(Query.ALL))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND));
  }

  private static void await(List<String> seen, int count) throws InterruptedException {
    while (seen.size() < count) {
      Thread.sleep(5);
    }
  }

  private List<String> read(Query query) throws InterruptedException {
    List<String> lines = new ArrayList<>();
    LogReader.read(file(), query, () -> true, entry -> lines.add(entry.content().text()));
    return lines;
  }

  private Path file() {
    return directory.resolve("0.log");
  }

  private void write(String text) throws Exception {
    Files.writeString(file(), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
