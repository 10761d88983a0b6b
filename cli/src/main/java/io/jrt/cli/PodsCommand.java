package io.jrt.cli;

import io.jrt.cri.v1.ListPodSandboxResponse;
import io.jrt.cri.v1.PodSandbox;
import io.jrt.cri.v1.PodSandboxState;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** {@code jrt pods}. */
final class PodsCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "pods",
        "",
        "list pods",
        List.of(
            Flag.toggle('q', "quiet", "ids only"),
            Flag.toggle("no-trunc", "whole ids"),
            Table.FORMAT,
            Flag.option('f', "filter", "KEY=VALUE", "name, namespace, state or label.NAME")),
        "pods --filter state=ready");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    Objects objects = Objects.of(session.daemon());
    List<PodSandbox> pods =
        objects.pods().stream()
            .filter(pod -> arguments.values("filter").stream().allMatch(f -> matches(pod, f)))
            .toList();
    if (arguments.has("quiet")) {
      session.lines(pods.stream().map(pod -> id(pod, arguments)).toList());
      return 0;
    }
    if (!session.forPeople()) {
      session.print(ListPodSandboxResponse.newBuilder().addAllItems(pods).build());
      return 0;
    }
    Table table = new Table("POD ID", "NAMESPACE", "NAME", "STATE", "AGE", "CONTAINERS");
    Instant now = Instant.now();
    for (PodSandbox pod : pods) {
      long count =
          objects.containers().stream()
              .filter(c -> c.getPodSandboxId().equals(pod.getId()))
              .count();
      table.row(
          id(pod, arguments),
          pod.getMetadata().getNamespace(),
          Objects.name(pod),
          state(pod),
          Words.age(pod.getCreatedAt(), now),
          String.valueOf(count));
    }
    session.print(table, arguments);
    return 0;
  }

  static String state(PodSandbox pod) {
    return pod.getState() == PodSandboxState.SANDBOX_READY ? "ready" : "not ready";
  }

  private static boolean matches(PodSandbox pod, String filter) {
    Filter f = Filter.parse(filter);
    return switch (f.key()) {
      case "name" -> Objects.name(pod).equals(f.value());
      case "namespace" -> pod.getMetadata().getNamespace().equals(f.value());
      case "state" -> state(pod).replace(" ", "").equals(f.value().replace("_", ""));
      default -> f.label(pod.getLabelsMap(), "name, namespace, state");
    };
  }

  private static String id(PodSandbox pod, Arguments arguments) {
    return arguments.has("no-trunc") ? pod.getId() : Words.shortId(pod.getId());
  }
}
