package io.jrt.core;

import io.jrt.core.device.GpuUse;
import io.jrt.core.device.NodeDevices;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.events.Events;
import io.jrt.linux.Fd;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Pods and containers on this node: all that CRI and the admin API need of them.
 *
 * <p>Every call blocks its thread until it is done or its deadline passes, and throws {@link
 * io.jrt.errors.JrtException} when it fails. Objects are named by their full id or by a unique
 * beginning of it. Calls that change something are operations: an equal request that comes while
 * one is under way joins it, and a caller's deadline leaves nothing half-made behind.
 *
 * <p>Stopping and removing what is stopped, removed or was never there succeeds. Closing the
 * runtime leaves every container running; the next runtime on the same directories takes them over.
 */
public interface ContainerRuntime extends AutoCloseable {

  /** Makes a pod sandbox: cgroup, namespaces, network, files. Returns its id. */
  String runPod(PodConfig config, String runtimeHandler, Deadline deadline);

  /** Kills what runs in the pod and gives back its network; its record stays. */
  void stopPod(String podId, Deadline deadline);

  /** Stops the pod, removes its containers, and forgets it. */
  void removePod(String podId, Deadline deadline);

  PodStatus podStatus(String podId);

  /** The pods that match, oldest first, from memory. */
  List<PodSummary> pods(PodFilter filter);

  /** Changes the limits of the pod's own cgroup. */
  void updatePod(String podId, LinuxResources overhead, LinuxResources resources);

  /** Makes a container of an image that is already here: snapshot, decided plan, record. */
  String createContainer(String podId, ContainerConfig config, Deadline deadline);

  /** Starts a created container; when that fails, it is exited and says why. */
  void startContainer(String containerId, Deadline deadline);

  /**
   * Sends the stop signal, and kills the container when it still runs after the grace time. A
   * second stop with a shorter time cuts the first short.
   */
  void stopContainer(String containerId, Duration grace, Deadline deadline);

  /** Kills the container if it runs, and forgets it with its snapshot; its log stays. */
  void removeContainer(String containerId, Deadline deadline);

  ContainerStatus containerStatus(String containerId);

  /** The containers that match, oldest first, from memory. */
  List<ContainerSummary> containers(ContainerFilter filter);

  /** Changes the limits of a created or running container: all of them, or none. */
  void updateContainer(
      String containerId, LinuxResources resources, Map<String, String> annotations);

  /** Opens the container's log file anew, after it was renamed. */
  void reopenLog(String containerId);

  /**
   * Runs a command in a container and waits for it. The result is the caller's to close.
   *
   * @param timeout zero for none; when it passes, every process of the command is killed and the
   *     call fails with DEADLINE
   */
  ExecResult execSync(String containerId, List<Bytes> command, Duration timeout);

  /** Starts a command in a container with a client's streams. */
  ExecSession exec(String containerId, ExecRequest request, StreamClient client);

  /** Joins a client to a container's streams until the container ends or the client leaves. */
  StreamSession attach(String containerId, AttachRequest request, StreamClient client);

  /**
   * Connects to a TCP port on localhost inside the pod's network namespace, IPv4 before IPv6. The
   * caller owns the connected socket, which is non-blocking.
   */
  Fd portForward(String podId, int port);

  ContainerStats containerStats(String containerId);

  List<ContainerStats> containerStats(ContainerFilter filter);

  PodStats podStats(String podId);

  List<PodStats> podStats(PodFilter filter);

  /** The pods with all that can be measured of their containers. */
  List<PodMeasurements> podMeasurements(PodFilter filter);

  /**
   * Removes an image from the store, with all its names; containers made of it keep its layers
   * until they are removed.
   */
  void removeImage(String reference);

  /**
   * Compares the records with the disk and the kernel.
   *
   * @param repair whether to mend what can be mended without touching what a record names
   */
  List<Discrepancy> check(boolean repair);

  /** What is under way, oldest first. */
  List<OperationInfo> operations();

  /** What happened and happens. */
  Events events();

  /** The devices of this node that containers may ask for by name. */
  NodeDevices devices();

  /** The GPUs of this node and the containers that have them now. */
  List<GpuUse> gpus();

  /** RuntimeReady and NetworkReady. */
  List<RuntimeCondition> conditions();

  RuntimeInfo info();

  /** The pod CIDR of the node, from the kubelet. */
  void updatePodCidr(String cidr);

  /** Details for people, as one JSON document: record, plan, cgroup, keeper. */
  String inspectPod(String podId);

  /** Details for people, as one JSON document: record, plan, cgroup, keeper. */
  String inspectContainer(String containerId);

  /** Lets go of everything without stopping any container. */
  @Override
  void close();
}
