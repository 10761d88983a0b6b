package io.jrt.core.store;

import io.jrt.core.PodConfig;
import io.jrt.security.SelinuxLabels;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * What is stored of a pod sandbox.
 *
 * @param bootId the boot under which it was made; under another one nothing of it stands
 * @param phase how far its life has come
 * @param ips its addresses, the main one first
 * @param cgroup the cgroup its containers' lie in, from the hierarchy's root
 * @param ownsCgroup whether that cgroup is jrt's to remove
 * @param labels what SELinux knows it by
 */
public record PodRecord(
    String id,
    PodConfig config,
    String runtimeHandler,
    Instant createdAt,
    String bootId,
    Phase phase,
    List<String> ips,
    String cgroup,
    boolean ownsCgroup,
    @Added SelinuxLabels labels) {

  /** How far a pod's life has come. */
  public enum Phase {
    /** Its namespaces and network stand. */
    READY,
    /** It is being, or was, stopped; it may still hold its network until {@link #STOPPED}. */
    STOPPING,
    /** It holds nothing but its record and its directories. */
    STOPPED
  }

  public PodRecord {
    ips = List.copyOf(ips);
    // Records of earlier daemons have none.
    labels = Objects.requireNonNullElse(labels, SelinuxLabels.NONE);
  }

  public PodRecord withPhase(Phase next) {
    return new PodRecord(
        id, config, runtimeHandler, createdAt, bootId, next, ips, cgroup, ownsCgroup, labels);
  }

  public PodRecord withLabels(SelinuxLabels next) {
    return new PodRecord(
        id, config, runtimeHandler, createdAt, bootId, phase, ips, cgroup, ownsCgroup, next);
  }

  public PodRecord withIps(List<String> next) {
    return new PodRecord(
        id, config, runtimeHandler, createdAt, bootId, phase, next, cgroup, ownsCgroup, labels);
  }

  public PodRecord withConfig(PodConfig next) {
    return new PodRecord(
        id, next, runtimeHandler, createdAt, bootId, phase, ips, cgroup, ownsCgroup, labels);
  }
}
