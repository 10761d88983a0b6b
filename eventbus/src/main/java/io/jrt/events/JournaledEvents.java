package io.jrt.events;

import com.google.common.eventbus.EventBus;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Events} on a Guava bus: each event gets its place in the order, and then goes to the
 * replay buffer, from which readers take it, and to the journal on disk.
 *
 * <p>The bus itself hands events over in the publisher's thread and under a lock, because it keeps
 * no order across threads; so only these two quick subscribers are on it, and no reader ever runs
 * in a publisher's thread.
 */
public final class JournaledEvents implements Events {
  private static final Logger log = LoggerFactory.getLogger(JournaledEvents.class);

  private final ReentrantLock order = new ReentrantLock();
  private final EventBus bus =
      new EventBus(
          (failure, context) ->
              log.error("event {} was not taken by its subscriber", context.getEvent(), failure));
  private final Clock clock;
  private final Journal journal;
  private final ReplayBuffer replay;
  private long sequence;

  private JournaledEvents(Journal journal, ReplayBuffer replay, long sequence, Clock clock) {
    this.journal = journal;
    this.replay = replay;
    this.sequence = sequence;
    this.clock = clock;
    bus.register(replay);
    bus.register(journal);
  }

  /**
   * Opens the journal in this directory and goes on with its sequence.
   *
   * @param replayed how many events are kept in memory for readers
   * @param journalBytes about how much the journal may take on disk
   */
  public static JournaledEvents open(Path directory, int replayed, long journalBytes) {
    return open(directory, replayed, journalBytes, Clock.systemUTC());
  }

  static JournaledEvents open(Path directory, int replayed, long journalBytes, Clock clock) {
    Journal journal = new Journal(directory, Math.max(4096, journalBytes / 2));
    long last = journal.lastSequence();
    ReplayBuffer replay = new ReplayBuffer(replayed, last);
    journal.start();
    return new JournaledEvents(journal, replay, last, clock);
  }

  @Override
  public void publish(Event event) {
    order.lock();
    try {
      sequence++;
      bus.post(new Recorded(sequence, clock.instant(), event));
    } finally {
      order.unlock();
    }
  }

  @Override
  public Subscription subscribe() {
    return replay.readNew();
  }

  @Override
  public Subscription subscribeAfter(long after) {
    return replay.readAfter(after);
  }

  @Override
  public List<Recorded> history(Instant since, int limit) {
    TreeMap<Long, Recorded> bySequence = new TreeMap<>();
    journal.flush();
    for (Recorded recorded : journal.read()) {
      bySequence.put(recorded.sequence(), recorded);
    }
    for (Recorded recorded : replay.all()) {
      bySequence.put(recorded.sequence(), recorded);
    }
    List<Recorded> wanted = new ArrayList<>();
    for (Recorded recorded : bySequence.values()) {
      if (!recorded.at().isBefore(since)) {
        wanted.add(recorded);
      }
    }
    return List.copyOf(wanted.subList(Math.max(0, wanted.size() - limit), wanted.size()));
  }

  @Override
  public long lastSequence() {
    order.lock();
    try {
      return sequence;
    } finally {
      order.unlock();
    }
  }

  @Override
  public void close() {
    replay.close();
    journal.close();
  }
}
