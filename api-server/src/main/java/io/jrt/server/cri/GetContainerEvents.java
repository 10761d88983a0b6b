package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.PodStatus;
import io.jrt.cri.v1.ContainerEventResponse;
import io.jrt.cri.v1.ContainerEventType;
import io.jrt.cri.v1.GetEventsRequest;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.ContainerEvent;
import io.jrt.events.DaemonEvent;
import io.jrt.events.Delivery;
import io.jrt.events.ImageEvent;
import io.jrt.events.NetworkEvent;
import io.jrt.events.PodEvent;
import io.jrt.events.Recorded;
import io.jrt.events.Subscription;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to containers, from now on, each with the state of its pod.
 *
 * <p>A client that reads too slowly loses events, not the runtime: the stream then ends with an
 * error, and the kubelet lists everything anew, as it does after every broken stream.
 */
final class GetContainerEvents {
  private static final Logger log = LoggerFactory.getLogger(GetContainerEvents.class);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final ContainerRuntime runtime;

  GetContainerEvents(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(GetEventsRequest request, StreamObserver<ContainerEventResponse> client) {
    // From the moment of the call, not from that of the thread's start.
    Subscription subscription = runtime.events().subscribe();
    Answers.stream(
        client,
        sink -> {
          try (subscription) {
            follow(subscription, sink);
          }
        });
  }

  private void follow(Subscription subscription, Sink<ContainerEventResponse> sink) {
    try {
      while (!sink.isGone() && !subscription.isClosed()) {
        Optional<Delivery> delivery = subscription.next(PATIENCE);
        if (delivery.isEmpty()) {
          continue;
        }
        switch (delivery.get()) {
          case Delivery.Missed(long count, _) ->
              throw new JrtException(
                  ErrorKind.DATA_LOSS,
                  "follow events",
                  count + " events were missed because they were read too slowly");
          case Delivery.Happened(Recorded recorded) -> translate(recorded).ifPresent(sink::send);
        }
      }
    } catch (InterruptedException e) {
      // The client left: the stream is over without an error.
      log.debug("the reader of container events left");
    }
  }

  private Optional<ContainerEventResponse> translate(Recorded recorded) {
    return switch (recorded.event()) {
      case ContainerEvent event -> ofContainer(recorded, event);
      case PodEvent event -> ofPod(recorded, event);
      case ImageEvent _, NetworkEvent _, DaemonEvent _ -> Optional.empty();
    };
  }

  private Optional<ContainerEventResponse> ofContainer(Recorded recorded, ContainerEvent event) {
    return switch (event) {
      case ContainerEvent.Created _ ->
          told(recorded, event, ContainerEventType.CONTAINER_CREATED_EVENT);
      case ContainerEvent.Started _ ->
          told(recorded, event, ContainerEventType.CONTAINER_STARTED_EVENT);
      case ContainerEvent.StartFailed _, ContainerEvent.Exited _ ->
          told(recorded, event, ContainerEventType.CONTAINER_STOPPED_EVENT);
      case ContainerEvent.Removed _ ->
          told(recorded, event, ContainerEventType.CONTAINER_DELETED_EVENT);
      case ContainerEvent.StopRequested _,
          ContainerEvent.OutOfMemory _,
          ContainerEvent.CallDenied _,
          ContainerEvent.Updated _,
          ContainerEvent.Executed _ ->
          Optional.empty();
    };
  }

  private Optional<ContainerEventResponse> ofPod(Recorded recorded, PodEvent event) {
    return switch (event) {
      case PodEvent.Created created ->
          told(
              recorded,
              created.podId(),
              created.podId(),
              ContainerEventType.CONTAINER_STARTED_EVENT);
      case PodEvent.Stopped stopped ->
          told(
              recorded,
              stopped.podId(),
              stopped.podId(),
              ContainerEventType.CONTAINER_STOPPED_EVENT);
      case PodEvent.Removed removed ->
          told(
              recorded,
              removed.podId(),
              removed.podId(),
              ContainerEventType.CONTAINER_DELETED_EVENT);
      case PodEvent.Failed _, PodEvent.ContainerFailed _, PodEvent.Updated _ -> Optional.empty();
    };
  }

  private Optional<ContainerEventResponse> told(
      Recorded recorded, ContainerEvent event, ContainerEventType type) {
    return told(recorded, event.containerId(), event.podId(), type);
  }

  private Optional<ContainerEventResponse> told(
      Recorded recorded, String id, String podId, ContainerEventType type) {
    ContainerEventResponse.Builder response =
        ContainerEventResponse.newBuilder()
            .setContainerId(id)
            .setContainerEventType(type)
            .setCreatedAt(Times.nanos(recorded.at()));
    try {
      PodStatus pod = runtime.podStatus(podId);
      response
          .setPodSandboxStatus(PodTranslation.status(pod))
          .addAllContainersStatuses(
              pod.containers().stream().map(ContainerTranslation::status).toList());
    } catch (JrtException e) {
      // The pod is gone since: the event is told without it.
      if (e.kind() != ErrorKind.NOT_FOUND) {
        throw e;
      }
    }
    return Optional.of(response.build());
  }
}
