package io.jrt.cli;

import io.jrt.admin.v1.InspectRequest;
import io.jrt.admin.v1.InspectResponse;
import io.jrt.admin.v1.ObjectKind;
import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.PodSandbox;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code jrt inspect}. */
final class InspectCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "inspect",
        "NAME…",
        "show all that is known of a container, a pod or an image",
        List.of(Flag.option("type", "KIND", "container, pod or image")),
        "inspect web");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    String type = arguments.value("type").orElse("");
    ObjectKind kind =
        switch (type) {
          case "" -> ObjectKind.OBJECT_KIND_UNSPECIFIED;
          case "pod" -> ObjectKind.OBJECT_KIND_POD;
          case "container" -> ObjectKind.OBJECT_KIND_CONTAINER;
          case "image" -> ObjectKind.OBJECT_KIND_IMAGE;
          default -> throw new UsageException("--type " + type + ": container, pod or image");
        };
    Objects objects = Objects.of(session.daemon());
    for (String word : arguments.atLeastOne("container, pod or image")) {
      InspectResponse answer =
          session
              .daemon()
              .admin(
                  "Inspect",
                  InspectRequest.newBuilder()
                      .setName(id(objects, kind, word))
                      .setKind(kind)
                      .build(),
                  InspectResponse.parser());
      session.printJson(answer.getJson());
    }
    return 0;
  }

  /** The id of what the word names; an image is left to the daemon. */
  private static String id(Objects objects, ObjectKind kind, String word) {
    Optional<String> container =
        kind == ObjectKind.OBJECT_KIND_UNSPECIFIED || kind == ObjectKind.OBJECT_KIND_CONTAINER
            ? objects.findContainer(word).map(Container::getId)
            : Optional.empty();
    Optional<String> pod =
        kind == ObjectKind.OBJECT_KIND_UNSPECIFIED || kind == ObjectKind.OBJECT_KIND_POD
            ? objects.findPod(word).map(PodSandbox::getId)
            : Optional.empty();
    return container.or(() -> pod).orElse(word);
  }
}
