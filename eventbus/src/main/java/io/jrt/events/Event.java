package io.jrt.events;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/**
 * Something that happened, as a fact: it is published after it became true.
 *
 * <p>{@link #object()} names what it happened to; events of one object are told in the order in
 * which they were published.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = PodEvent.Created.class, name = "PodCreated"),
  @JsonSubTypes.Type(value = PodEvent.Stopped.class, name = "PodStopped"),
  @JsonSubTypes.Type(value = PodEvent.Removed.class, name = "PodRemoved"),
  @JsonSubTypes.Type(value = PodEvent.Failed.class, name = "PodFailed"),
  @JsonSubTypes.Type(value = PodEvent.Updated.class, name = "PodUpdated"),
  @JsonSubTypes.Type(value = ContainerEvent.Created.class, name = "ContainerCreated"),
  @JsonSubTypes.Type(value = ContainerEvent.Started.class, name = "ContainerStarted"),
  @JsonSubTypes.Type(value = ContainerEvent.StartFailed.class, name = "ContainerStartFailed"),
  @JsonSubTypes.Type(value = ContainerEvent.StopRequested.class, name = "ContainerStopRequested"),
  @JsonSubTypes.Type(value = ContainerEvent.Exited.class, name = "ContainerExited"),
  @JsonSubTypes.Type(value = ContainerEvent.OutOfMemory.class, name = "ContainerOutOfMemory"),
  @JsonSubTypes.Type(value = ContainerEvent.CallDenied.class, name = "ContainerCallDenied"),
  @JsonSubTypes.Type(value = ContainerEvent.Updated.class, name = "ContainerUpdated"),
  @JsonSubTypes.Type(value = ContainerEvent.Executed.class, name = "ContainerExecuted"),
  @JsonSubTypes.Type(value = ContainerEvent.Removed.class, name = "ContainerRemoved"),
  @JsonSubTypes.Type(value = ImageEvent.Pulled.class, name = "ImagePulled"),
  @JsonSubTypes.Type(value = ImageEvent.PullFailed.class, name = "ImagePullFailed"),
  @JsonSubTypes.Type(value = ImageEvent.Imported.class, name = "ImageImported"),
  @JsonSubTypes.Type(value = ImageEvent.Removed.class, name = "ImageRemoved"),
  @JsonSubTypes.Type(value = NetworkEvent.Attached.class, name = "NetworkAttached"),
  @JsonSubTypes.Type(value = NetworkEvent.Detached.class, name = "NetworkDetached"),
  @JsonSubTypes.Type(value = NetworkEvent.Readiness.class, name = "NetworkReadiness"),
  @JsonSubTypes.Type(value = DaemonEvent.Started.class, name = "DaemonStarted"),
  @JsonSubTypes.Type(value = DaemonEvent.Stopping.class, name = "DaemonStopping"),
  @JsonSubTypes.Type(value = DaemonEvent.Recovered.class, name = "DaemonRecovered"),
  @JsonSubTypes.Type(value = DaemonEvent.ConfigReloaded.class, name = "DaemonConfigReloaded"),
})
public sealed interface Event
    permits PodEvent, ContainerEvent, ImageEvent, NetworkEvent, DaemonEvent {

  /** What it happened to: an id, a reference or {@code daemon}. */
  String object();

  /**
   * The name of the case with its family, as it stands in the journal and in {@code jrt events}.
   */
  default String name() {
    Class<?> family = getClass().getEnclosingClass();
    String prefix = family == null ? "" : family.getSimpleName().replace("Event", "");
    return prefix + getClass().getSimpleName();
  }
}
