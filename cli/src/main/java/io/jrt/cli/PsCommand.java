package io.jrt.cli;

import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ContainerStatusRequest;
import io.jrt.cri.v1.ContainerStatusResponse;
import io.jrt.cri.v1.ListContainersResponse;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** {@code jrt ps}. */
final class PsCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "ps",
        "",
        "list containers",
        List.of(
            Flag.toggle('a', "all", "also those that do not run"),
            Flag.toggle('q', "quiet", "ids only"),
            Flag.toggle("no-trunc", "whole ids"),
            Flag.option('n', "last", "COUNT", "the newest so many, whatever their state"),
            Table.FORMAT,
            Flag.option('f', "filter", "KEY=VALUE", "name, pod, image, state or label.NAME")),
        "ps -a --filter state=exited");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    Objects objects = Objects.of(session.daemon());
    long last = arguments.number("last", 0);
    boolean all =
        arguments.has("all")
            || last > 0
            || arguments.values("filter").stream().anyMatch(f -> f.startsWith("state="));
    List<Container> containers =
        objects.containers().stream()
            .filter(c -> all || c.getState() == ContainerState.CONTAINER_RUNNING)
            .filter(c -> arguments.values("filter").stream().allMatch(f -> matches(objects, c, f)))
            .toList();
    if (last > 0 && containers.size() > last) {
      containers = containers.subList(containers.size() - (int) last, containers.size());
    }
    if (arguments.has("quiet")) {
      session.lines(containers.stream().map(c -> id(c, arguments)).toList());
      return 0;
    }
    if (!session.forPeople()) {
      session.print(ListContainersResponse.newBuilder().addAllContainers(containers).build());
      return 0;
    }
    Table table = new Table("CONTAINER ID", "IMAGE", "NAME", "POD", "STATE", "AGE");
    Instant now = Instant.now();
    for (Container container : containers) {
      table.row(
          id(container, arguments),
          image(container),
          Objects.name(container),
          objects.podOf(container).map(Objects::name).orElse("-"),
          state(session, container),
          Words.age(container.getCreatedAt(), now));
    }
    session.print(table, arguments);
    return 0;
  }

  private static String image(Container container) {
    String name = container.getImage().getUserSpecifiedImage();
    if (name.isEmpty()) {
      name = container.getImage().getImage();
    }
    return name.startsWith("sha256:") ? Words.shortId(name) : name.replaceFirst("@sha256:.*", "");
  }

  /** The state in words; of a container that ended, also how. */
  private static String state(Session session, Container container) throws IOException {
    if (container.getState() != ContainerState.CONTAINER_EXITED) {
      return plain(container.getState());
    }
    Optional<ContainerStatus> status = status(session, container.getId());
    return status
        .map(s -> "exited " + s.getExitCode() + reason(s))
        .orElseGet(() -> plain(container.getState()));
  }

  private static String reason(ContainerStatus status) {
    return switch (status.getReason()) {
      case "", "Completed", "Error" -> "";
      default -> " (" + status.getReason() + ")";
    };
  }

  private static Optional<ContainerStatus> status(Session session, String id) throws IOException {
    try {
      return Optional.of(
          session
              .daemon()
              .runtime(
                  "ContainerStatus",
                  ContainerStatusRequest.newBuilder().setContainerId(id).build(),
                  ContainerStatusResponse.parser())
              .getStatus());
    } catch (io.jrt.cli.rpc.RpcException e) {
      if (e.code() == io.jrt.cli.rpc.RpcException.Code.NOT_FOUND) {
        return Optional.empty(); // removed since it was listed
      }
      throw e;
    }
  }

  static String plain(ContainerState state) {
    return switch (state) {
      case CONTAINER_CREATED -> "created";
      case CONTAINER_RUNNING -> "running";
      case CONTAINER_EXITED -> "exited";
      case CONTAINER_UNKNOWN, UNRECOGNIZED -> "unknown";
    };
  }

  private static boolean matches(Objects objects, Container container, String filter) {
    Filter f = Filter.parse(filter);
    return switch (f.key()) {
      case "name" -> Objects.name(container).equals(f.value());
      case "pod" -> objects.podOf(container).map(Objects::name).orElse("").equals(f.value());
      case "image" -> image(container).contains(f.value());
      case "state", "status" -> plain(container.getState()).equals(f.value());
      default -> f.label(container.getLabelsMap(), "name, pod, image, state");
    };
  }

  private static String id(Container container, Arguments arguments) {
    return arguments.has("no-trunc") ? container.getId() : Words.shortId(container.getId());
  }
}
