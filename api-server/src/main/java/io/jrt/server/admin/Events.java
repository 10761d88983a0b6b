package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.EventsRequest;
import io.jrt.admin.v1.EventsResponse;
import io.jrt.core.ContainerRuntime;
import io.jrt.events.ContainerEvent;
import io.jrt.events.Delivery;
import io.jrt.events.Event;
import io.jrt.events.Recorded;
import io.jrt.events.Subscription;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/** What happened and happens. */
final class Events {
  private static final Logger log = LoggerFactory.getLogger(Events.class);
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final int USUAL_LIMIT = 1000;

  private final ContainerRuntime runtime;
  private final JsonMapper json = JsonMapper.builder().build();

  Events(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(EventsRequest request, StreamObserver<EventsResponse> client) {
    io.jrt.events.Events events = runtime.events();
    long before = events.lastSequence();
    boolean past = request.getSince() != 0 || !request.getFollow();
    Answers.stream(
        client,
        sink -> {
          long last = past ? tellPast(request, sink, events, before) : before;
          if (request.getFollow()) {
            try (Subscription subscription = events.subscribeAfter(last)) {
              follow(request, sink, subscription);
            }
          }
        });
  }

  private long tellPast(
      EventsRequest request, Sink<EventsResponse> sink, io.jrt.events.Events events, long before) {
    int limit = request.getLimit() > 0 ? request.getLimit() : USUAL_LIMIT;
    Instant since = request.getSince() == 0 ? Instant.EPOCH : Times.instant(request.getSince());
    List<Recorded> kept =
        events.history(since, Integer.MAX_VALUE).stream()
            .filter(recorded -> wanted(request, recorded.event()))
            .toList();
    long last = before;
    for (Recorded recorded : kept.subList(Math.max(0, kept.size() - limit), kept.size())) {
      sink.send(response(recorded, 0));
      last = Math.max(last, recorded.sequence());
    }
    return last;
  }

  private void follow(EventsRequest request, Sink<EventsResponse> sink, Subscription subscription) {
    long missed = 0;
    try {
      while (!sink.isGone() && !subscription.isClosed()) {
        Optional<Delivery> delivery = subscription.next(PATIENCE);
        if (delivery.isEmpty()) {
          continue;
        }
        switch (delivery.get()) {
          case Delivery.Missed(long count, _) -> missed += count;
          case Delivery.Happened(Recorded recorded) -> {
            if (wanted(request, recorded.event())) {
              sink.send(response(recorded, missed));
              missed = 0;
            }
          }
        }
      }
    } catch (InterruptedException e) {
      log.debug("the reader of events left");
    }
  }

  private static boolean wanted(EventsRequest request, Event event) {
    boolean named = request.getNamesCount() == 0 || request.getNamesList().contains(event.name());
    String object = request.getObject();
    boolean meant =
        object.isEmpty()
            || event.object().startsWith(object)
            || (event instanceof ContainerEvent container && container.podId().startsWith(object));
    return named && meant;
  }

  private EventsResponse response(Recorded recorded, long missed) {
    Event event = recorded.event();
    return EventsResponse.newBuilder()
        .setSequence(recorded.sequence())
        .setAt(Times.nanos(recorded.at()))
        .setName(event.name())
        .setObject(event.object())
        .setJson(json.writeValueAsString(event))
        .setMissed(missed)
        .build();
  }
}
