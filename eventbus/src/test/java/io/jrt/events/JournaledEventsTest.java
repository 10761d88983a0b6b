package io.jrt.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournaledEventsTest {
  private static final Duration SOON = Duration.ofSeconds(5);

  @TempDir Path directory;

  private static Event stopped(String pod) {
    return new PodEvent.Stopped(pod, "");
  }

  @Test
  void everyEventOfAnObjectIsHeardInTheOrderOfPublishing() throws Exception {
    try (JournaledEvents events = JournaledEvents.open(directory, 10_000, 1 << 20);
        Subscription reader = events.subscribe()) {
      List<Thread> publishers = new ArrayList<>();
      for (int p = 0; p < 4; p++) {
        int publisher = p;
        publishers.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      for (int i = 0; i < 500; i++) {
                        events.publish(
                            new ContainerEvent.Started("container" + publisher, "pod", i));
                      }
                    }));
      }
      Map<String, Integer> next = new HashMap<>();
      for (int i = 0; i < 2000; i++) {
        Delivery delivery = reader.next(SOON).orElseThrow();
        Recorded recorded = ((Delivery.Happened) delivery).recorded();
        assertThat(recorded.sequence()).isEqualTo(i + 1L);
        ContainerEvent.Started started = (ContainerEvent.Started) recorded.event();
        assertThat(started.pid()).isEqualTo(next.merge(started.containerId(), 1, Integer::sum) - 1);
      }
      for (Thread publisher : publishers) {
        publisher.join();
      }
    }
  }

  @Test
  void slowReaderIsToldHowMuchItMissedAndHoldsNobodyUp() throws Exception {
    try (JournaledEvents events = JournaledEvents.open(directory, 100, 1 << 20);
        Subscription slow = events.subscribe()) {
      for (int i = 0; i < 1000; i++) {
        events.publish(stopped("pod"));
      }
      assertThat(slow.next(SOON)).contains(new Delivery.Missed(900, 901));
      Delivery.Happened first = (Delivery.Happened) slow.next(SOON).orElseThrow();
      assertThat(first.recorded().sequence()).isEqualTo(901);
    }
  }

  @Test
  void replayGivesWhatIsKeptAndThenWhatHappens() throws Exception {
    try (JournaledEvents events = JournaledEvents.open(directory, 100, 1 << 20)) {
      events.publish(stopped("a"));
      events.publish(stopped("b"));
      try (Subscription reader = events.subscribeAfter(1)) {
        assertThat(((Delivery.Happened) reader.next(SOON).orElseThrow()).recorded().event())
            .isEqualTo(stopped("b"));
        events.publish(stopped("c"));
        assertThat(((Delivery.Happened) reader.next(SOON).orElseThrow()).recorded().event())
            .isEqualTo(stopped("c"));
        assertThat(reader.next(Duration.ofMillis(1))).isEmpty();
      }
    }
  }

  @Test
  void sequenceAndHistoryGoOnAfterARestart() throws Exception {
    Event exited =
        new ContainerEvent.Exited("c", "p", 137, OptionalInt.of(9), "OOMKilled", "why", "kernel");
    try (JournaledEvents events = JournaledEvents.open(directory, 100, 1 << 20)) {
      events.publish(stopped("a"));
      events.publish(exited);
    }
    try (JournaledEvents events = JournaledEvents.open(directory, 100, 1 << 20)) {
      events.publish(stopped("c"));
      assertThat(events.lastSequence()).isEqualTo(3);
      assertThat(events.history(Instant.EPOCH, 10))
          .extracting(Recorded::event)
          .containsExactly(stopped("a"), exited, stopped("c"));
      assertThat(events.history(Instant.EPOCH, 1)).hasSize(1);
      try (Subscription reader = events.subscribeAfter(0)) {
        assertThat(reader.next(SOON)).contains(new Delivery.Missed(2, 3));
      }
    }
  }

  @Test
  void lineCutByAPowerCutCostsOnlyThatEvent() throws Exception {
    try (JournaledEvents events = JournaledEvents.open(directory, 100, 1 << 20)) {
      events.publish(stopped("a"));
    }
    Files.writeString(
        directory.resolve("events.jsonl"), "{\"sequence\":2,\"at", StandardOpenOption.APPEND);
    try (JournaledEvents events = JournaledEvents.open(directory, 100, 1 << 20)) {
      events.publish(stopped("b"));
    }
    try (JournaledEvents events = JournaledEvents.open(directory, 100, 1 << 20)) {
      assertThat(events.history(Instant.EPOCH, 10))
          .extracting(Recorded::event)
          .containsExactly(stopped("a"), stopped("b"));
    }
  }

  @Test
  void journalKeepsItsBound() throws IOException {
    long bound = 64 * 1024;
    try (JournaledEvents events = JournaledEvents.open(directory, 10, bound)) {
      for (int i = 0; i < 5000; i++) {
        events.publish(stopped("pod" + i));
        if (i % 100 == 0) {
          events.history(Instant.now(), 1);
        }
      }
    }
    long size = 0;
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        size += Files.size(file);
      }
    }
    assertThat(size).isLessThan(bound + 40_000);
    assertThat(Files.readString(directory.resolve("events.jsonl"), StandardCharsets.UTF_8))
        .contains("pod4999");
  }

  @Test
  void closingEndsTheReaders() throws Exception {
    JournaledEvents events = JournaledEvents.open(directory, 10, 1 << 20);
    Subscription reader = events.subscribe();
    Thread closer = Thread.ofVirtual().start(events::close);
    assertThat(reader.next(SOON)).isEmpty();
    assertThat(reader.isClosed()).isTrue();
    closer.join();
  }
}
