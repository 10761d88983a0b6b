package io.jrt.core.store;

import io.jrt.core.ContainerConfig;
import io.jrt.core.ExitCause;
import io.jrt.core.LinuxResources;
import io.jrt.core.plugin.PluginChanges;
import io.jrt.core.spec.ProcessPlan;
import io.jrt.core.spec.UserPlan;
import io.jrt.security.SelinuxLabels;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What is stored of a container: the request as it came, what was decided from it at creation, and
 * how it ended.
 *
 * @param bootId the boot under which it was made
 * @param imageRef the image's repository digest, or its id
 * @param imageVolumes the ids of the images mounted as volumes, by their paths in the container
 * @param cdiDevices full names of the CDI devices it has
 * @param cgroup from the hierarchy's root
 * @param resources what is applied, or will be at the start
 * @param labels what SELinux knows it by
 * @param changes what plugins changed of the request
 * @param end present when it has ended; what runs is known by its keeper alone
 */
public record ContainerRecord(
    String id,
    String podId,
    ContainerConfig config,
    Instant createdAt,
    String bootId,
    String imageId,
    String imageRef,
    Map<String, String> imageVolumes,
    ProcessPlan process,
    UserPlan user,
    @Added List<String> cdiDevices,
    String cgroup,
    LinuxResources resources,
    @Added SelinuxLabels labels,
    @Added PluginChanges changes,
    Optional<End> end) {
  public ContainerRecord {
    imageVolumes = Map.copyOf(imageVolumes);
    // Records of earlier daemons have none.
    labels = Objects.requireNonNullElse(labels, SelinuxLabels.NONE);
    changes = Objects.requireNonNullElse(changes, PluginChanges.NONE);
    cdiDevices = List.copyOf(Objects.requireNonNullElse(cdiDevices, List.of()));
  }

  /** What was asked for, before plugins changed it. */
  public ContainerConfig requested() {
    return changes.requested().orElse(config);
  }

  /** How a container ended. */
  public record End(Optional<Instant> startedAt, Instant finishedAt, ExitCause cause) {}

  public ContainerRecord withEnd(End how) {
    return new ContainerRecord(
        id,
        podId,
        config,
        createdAt,
        bootId,
        imageId,
        imageRef,
        imageVolumes,
        process,
        user,
        cdiDevices,
        cgroup,
        resources,
        labels,
        changes,
        Optional.of(how));
  }

  public ContainerRecord with(ProcessPlan nextProcess, UserPlan nextUser) {
    return new ContainerRecord(
        id,
        podId,
        config,
        createdAt,
        bootId,
        imageId,
        imageRef,
        imageVolumes,
        nextProcess,
        nextUser,
        cdiDevices,
        cgroup,
        resources,
        labels,
        changes,
        end);
  }

  public ContainerRecord withResources(LinuxResources next) {
    return new ContainerRecord(
        id,
        podId,
        config,
        createdAt,
        bootId,
        imageId,
        imageRef,
        imageVolumes,
        process,
        user,
        cdiDevices,
        cgroup,
        next,
        labels,
        changes,
        end);
  }
}
