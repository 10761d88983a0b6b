package io.jrt.server.admin;

import io.jrt.admin.v1.PruneRequest;
import io.jrt.admin.v1.PruneResponse;
import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerSummary;
import io.jrt.core.Deadline;
import io.jrt.core.PodFilter;
import io.jrt.core.PodState;
import io.jrt.core.PodSummary;
import io.jrt.image.Image;
import io.jrt.server.image.Images;
import io.jrt.volumes.NamedVolumes;
import io.jrt.volumes.VolumeInfo;
import io.jrt.volumes.VolumeSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Removes what nobody needs: ended containers, stopped pods, images without a container, volumes.
 */
final class Prune {
  private final ContainerRuntime runtime;
  private final Images images;
  private final NamedVolumes volumes;

  Prune(ContainerRuntime runtime, Images images, NamedVolumes volumes) {
    this.runtime = runtime;
    this.images = images;
    this.volumes = volumes;
  }

  PruneResponse handle(PruneRequest request, Deadline deadline) {
    PruneResponse.Builder response = PruneResponse.newBuilder();
    boolean really = !request.getDryRun();
    if (request.getContainers()) {
      var ended =
          new ContainerFilter("", "", Optional.of(ContainerFilter.StateName.EXITED), Map.of());
      for (ContainerSummary container : runtime.containers(ended)) {
        if (really) {
          runtime.removeContainer(container.id(), deadline);
        }
        response.addRemoved("container " + container.id());
      }
    }
    if (request.getPods()) {
      var stopped = new PodFilter("", Optional.of(PodState.NOT_READY), Map.of());
      for (PodSummary pod : runtime.pods(stopped)) {
        if (really) {
          runtime.removePod(pod.id(), deadline);
        }
        response.addRemoved("pod " + pod.id());
      }
    }
    if (request.getImages()) {
      images(response, really);
    }
    if (request.getVolumes()) {
      List<String> unused =
          really
              ? volumes.prune()
              : volumes.list().stream()
                  .filter(volume -> volume.users().isEmpty())
                  .map(VolumeInfo::spec)
                  .map(VolumeSpec::name)
                  .toList();
      unused.forEach(name -> response.addRemoved("volume " + name));
    }
    return response.build();
  }

  private void images(PruneResponse.Builder response, boolean really) {
    Set<String> used =
        runtime.containers(ContainerFilter.ALL).stream()
            .map(ContainerSummary::imageId)
            .collect(Collectors.toSet());
    long freed = 0;
    for (Image image : images.list("")) {
      if (image.pinned() || used.contains(image.id())) {
        continue;
      }
      if (really) {
        images.remove(image.id());
      }
      freed += image.size();
      String name = image.repoTags().isEmpty() ? image.id() : image.repoTags().getFirst();
      response.addRemoved("image " + name);
    }
    response.setFreedBytes(freed);
  }
}
