package io.jrt.server.admin;

import io.jrt.events.ContainerEvent;
import io.jrt.events.DaemonEvent;
import io.jrt.events.Event;
import io.jrt.events.ImageEvent;
import io.jrt.events.NetworkEvent;
import io.jrt.events.PodEvent;

/** Events as sentences. */
final class Sentences {
  private Sentences() {}

  static String of(Event event) {
    return switch (event) {
      case ContainerEvent container -> ofContainer(container);
      case PodEvent pod -> ofPod(pod);
      case ImageEvent image -> ofImage(image);
      case NetworkEvent network -> ofNetwork(network);
      case DaemonEvent daemon -> ofDaemon(daemon);
    };
  }

  private static String ofContainer(ContainerEvent event) {
    return switch (event) {
      case ContainerEvent.Created e -> "container " + e.name() + " was created from " + e.image();
      case ContainerEvent.Started e -> "it was started as process " + e.pid();
      case ContainerEvent.StartFailed e ->
          "its start failed with exit code "
              + e.exitCode()
              + " ("
              + e.reason()
              + "): "
              + e.message();
      case ContainerEvent.StopRequested e ->
          "a stop with %s and %d ms of grace was asked for".formatted(e.signal(), e.graceMillis());
      case ContainerEvent.Exited e ->
          "it ended with exit code %d (%s)%s%s"
              .formatted(
                  e.exitCode(),
                  e.reason(),
                  e.signal().isPresent()
                      ? ", by signal "
                          + e.signal().getAsInt()
                          + (e.sentBy().isEmpty() ? "" : " of the " + e.sentBy())
                      : "",
                  e.message().isEmpty() ? "" : ": " + e.message());
      case ContainerEvent.OutOfMemory e ->
          "the kernel killed " + e.kills() + " processes of it for want of memory";
      case ContainerEvent.CallDenied e ->
          "its seccomp filter denied the system call %s to %s (process %d)"
              .formatted(e.systemCall(), e.command(), e.pid());
      case ContainerEvent.Updated e -> "its limits were changed: " + e.changes();
      case ContainerEvent.Executed e ->
          "a command ran in it for %d ms and gave %d: %s"
              .formatted(e.millis(), e.exitCode(), String.join(" ", e.command()));
      case ContainerEvent.Removed _ -> "it was removed";
    };
  }

  private static String ofPod(PodEvent event) {
    return switch (event) {
      case PodEvent.Created e ->
          "pod " + e.namespace() + "/" + e.name() + " was made, with addresses " + e.ips();
      case PodEvent.Stopped e ->
          e.why().isEmpty() ? "the pod was stopped" : "the pod stopped: " + e.why();
      case PodEvent.Removed _ -> "the pod was removed";
      case PodEvent.Failed e -> "the pod could not be made: " + e.step() + ": " + e.message();
      case PodEvent.ContainerFailed e ->
          "container %s of image %s could not be made: %s: %s"
              .formatted(e.container(), e.image(), e.step(), e.message());
      case PodEvent.Updated e -> "the pod's limits were changed: " + e.changes();
    };
  }

  private static String ofImage(ImageEvent event) {
    return switch (event) {
      case ImageEvent.Pulled e ->
          "image %s was pulled: %d bytes in %d ms".formatted(e.reference(), e.bytes(), e.millis());
      case ImageEvent.PullFailed e ->
          "image " + e.reference() + " could not be pulled: " + e.step() + ": " + e.message();
      case ImageEvent.Imported e -> "image " + e.reference() + " was imported";
      case ImageEvent.Removed e -> "image " + e.reference() + " was removed";
    };
  }

  private static String ofNetwork(NetworkEvent event) {
    return switch (event) {
      case NetworkEvent.Attached e -> "the pod got its network: " + e.ips();
      case NetworkEvent.Detached _ -> "the pod gave its network back";
      case NetworkEvent.Readiness e ->
          e.ready() ? "the network is ready" : "the network is not ready: " + e.message();
    };
  }

  private static String ofDaemon(DaemonEvent event) {
    return switch (event) {
      case DaemonEvent.Started e -> "jrtd " + e.version() + " started as process " + e.pid();
      case DaemonEvent.Stopping e -> "jrtd stops: " + e.why();
      case DaemonEvent.Recovered e ->
          "jrtd took over %d pods and %d containers".formatted(e.pods(), e.containers());
      case DaemonEvent.ConfigReloaded e -> "jrtd read " + e.file() + " anew";
    };
  }
}
