package io.jrt.server.admin;

import io.jrt.admin.v1.InspectRequest;
import io.jrt.admin.v1.InspectResponse;
import io.jrt.admin.v1.ObjectKind;
import io.jrt.core.ContainerRuntime;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Image;
import io.jrt.server.image.Images;
import java.util.Optional;

/** All that is known of one container, pod or image. */
final class Inspect {
  private static final String STEP = "inspect";

  private final ContainerRuntime runtime;
  private final Images images;

  Inspect(ContainerRuntime runtime, Images images) {
    this.runtime = runtime;
    this.images = images;
  }

  InspectResponse handle(InspectRequest request) {
    String name = request.getName();
    if (name.isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, STEP, "name is missing");
    }
    return switch (request.getKind()) {
      case OBJECT_KIND_CONTAINER -> container(name);
      case OBJECT_KIND_POD -> pod(name);
      case OBJECT_KIND_IMAGE -> image(name).orElseThrow(() -> nothing("image", name));
      case OBJECT_KIND_UNSPECIFIED, UNRECOGNIZED -> any(name);
    };
  }

  private InspectResponse any(String name) {
    try {
      return container(name);
    } catch (JrtException noContainer) {
      if (noContainer.kind() != ErrorKind.NOT_FOUND) {
        throw noContainer;
      }
    }
    try {
      return pod(name);
    } catch (JrtException noPod) {
      if (noPod.kind() != ErrorKind.NOT_FOUND) {
        throw noPod;
      }
    }
    return image(name).orElseThrow(() -> nothing("container, pod or image", name));
  }

  private InspectResponse container(String name) {
    String id = runtime.containerStatus(name).id();
    return response(ObjectKind.OBJECT_KIND_CONTAINER, id, runtime.inspectContainer(id));
  }

  private InspectResponse pod(String name) {
    String id = runtime.podStatus(name).id();
    return response(ObjectKind.OBJECT_KIND_POD, id, runtime.inspectPod(id));
  }

  private Optional<InspectResponse> image(String name) {
    Optional<Image> image;
    try {
      image = images.find(name);
    } catch (JrtException e) {
      if (e.kind() != ErrorKind.INVALID) {
        throw e;
      }
      // What is no name of an image is none that is here.
      image = Optional.empty();
    }
    return image.map(
        found -> response(ObjectKind.OBJECT_KIND_IMAGE, found.id(), images.inspect(found)));
  }

  private static InspectResponse response(ObjectKind kind, String id, String json) {
    return InspectResponse.newBuilder().setKind(kind).setId(id).setJson(json).build();
  }

  private static JrtException nothing(String what, String name) {
    return new JrtException(ErrorKind.NOT_FOUND, STEP, "no " + what + " is called " + name);
  }
}
