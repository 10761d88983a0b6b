package io.jrt.server.cri;

import io.jrt.core.DnsConfig;
import io.jrt.core.PodConfig;
import io.jrt.core.PodMetadata;
import io.jrt.core.PodSecurity;
import io.jrt.core.PodState;
import io.jrt.core.PodStatus;
import io.jrt.core.PodSummary;
import io.jrt.core.PortMapping;
import io.jrt.cri.v1.DNSConfig;
import io.jrt.cri.v1.LinuxPodSandboxConfig;
import io.jrt.cri.v1.LinuxPodSandboxStatus;
import io.jrt.cri.v1.Namespace;
import io.jrt.cri.v1.PodIP;
import io.jrt.cri.v1.PodSandbox;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxFilter;
import io.jrt.cri.v1.PodSandboxMetadata;
import io.jrt.cri.v1.PodSandboxNetworkStatus;
import io.jrt.cri.v1.PodSandboxState;
import io.jrt.cri.v1.PodSandboxStatsFilter;
import io.jrt.cri.v1.PodSandboxStatus;
import io.jrt.cri.v1.Protocol;
import java.util.List;
import java.util.Optional;

/** CRI's pods as the runtime's records, and back. */
final class PodTranslation {
  private PodTranslation() {}

  static PodConfig config(PodSandboxConfig cri) {
    if (!cri.hasMetadata()) {
      throw Requests.invalid("config.metadata is missing");
    }
    LinuxPodSandboxConfig linux = cri.getLinux();
    return new PodConfig(
        metadata(cri.getMetadata()),
        cri.getHostname(),
        cri.getLogDirectory(),
        cri.hasDnsConfig() ? Optional.of(dns(cri.getDnsConfig())) : Optional.empty(),
        cri.getPortMappingsList().stream().map(PodTranslation::port).toList(),
        cri.getLabelsMap(),
        cri.getAnnotationsMap(),
        linux.getCgroupParent(),
        linux.hasSecurityContext()
            ? SecurityTranslation.ofPod(linux.getSecurityContext())
            : PodSecurity.DEFAULT,
        linux.getSysctlsMap(),
        ResourcesTranslation.of(linux.hasOverhead(), linux.getOverhead()),
        ResourcesTranslation.of(linux.hasResources(), linux.getResources()));
  }

  private static PodMetadata metadata(PodSandboxMetadata cri) {
    return new PodMetadata(
        Requests.required(cri.getName(), "config.metadata.name"),
        cri.getUid(),
        cri.getNamespace(),
        cri.getAttempt());
  }

  static PodSandboxMetadata toCri(PodMetadata metadata) {
    return PodSandboxMetadata.newBuilder()
        .setName(metadata.name())
        .setUid(metadata.uid())
        .setNamespace(metadata.namespace())
        .setAttempt(metadata.attempt())
        .build();
  }

  private static DnsConfig dns(DNSConfig cri) {
    return new DnsConfig(cri.getServersList(), cri.getSearchesList(), cri.getOptionsList());
  }

  private static PortMapping port(io.jrt.cri.v1.PortMapping cri) {
    return new PortMapping(
        protocol(cri.getProtocol()), cri.getContainerPort(), cri.getHostPort(), cri.getHostIp());
  }

  private static PortMapping.Protocol protocol(Protocol cri) {
    return switch (cri) {
      case TCP -> PortMapping.Protocol.TCP;
      case UDP -> PortMapping.Protocol.UDP;
      case SCTP -> PortMapping.Protocol.SCTP;
      case UNRECOGNIZED -> throw Requests.invalid("a port protocol that jrt does not know");
    };
  }

  static io.jrt.core.PodFilter filter(PodSandboxFilter cri) {
    return new io.jrt.core.PodFilter(
        cri.getId(),
        cri.hasState() ? Optional.of(state(cri.getState().getState())) : Optional.empty(),
        cri.getLabelSelectorMap());
  }

  static io.jrt.core.PodFilter filter(PodSandboxStatsFilter cri) {
    return new io.jrt.core.PodFilter(
        cri.getId(), Optional.of(PodState.READY), cri.getLabelSelectorMap());
  }

  private static PodState state(PodSandboxState cri) {
    return switch (cri) {
      case SANDBOX_READY -> PodState.READY;
      case SANDBOX_NOTREADY -> PodState.NOT_READY;
      case UNRECOGNIZED -> throw Requests.invalid("a pod state that jrt does not know");
    };
  }

  private static PodSandboxState toCri(PodState state) {
    return switch (state) {
      case READY -> PodSandboxState.SANDBOX_READY;
      case NOT_READY -> PodSandboxState.SANDBOX_NOTREADY;
    };
  }

  static PodSandbox summary(PodSummary pod) {
    return PodSandbox.newBuilder()
        .setId(pod.id())
        .setMetadata(toCri(pod.metadata()))
        .setState(toCri(pod.state()))
        .setCreatedAt(Times.nanos(pod.createdAt()))
        .putAllLabels(pod.labels())
        .putAllAnnotations(pod.annotations())
        .setRuntimeHandler(pod.runtimeHandler())
        .build();
  }

  static PodSandboxStatus status(PodStatus pod) {
    return PodSandboxStatus.newBuilder()
        .setId(pod.id())
        .setMetadata(toCri(pod.config().metadata()))
        .setState(toCri(pod.state()))
        .setCreatedAt(Times.nanos(pod.createdAt()))
        .setNetwork(network(pod.ips()))
        .setLinux(
            LinuxPodSandboxStatus.newBuilder()
                .setNamespaces(
                    Namespace.newBuilder()
                        .setOptions(
                            SecurityTranslation.toCri(pod.config().security().namespaces()))))
        .putAllLabels(pod.config().labels())
        .putAllAnnotations(pod.config().annotations())
        .setRuntimeHandler(pod.runtimeHandler())
        .build();
  }

  private static PodSandboxNetworkStatus network(List<String> ips) {
    if (ips.isEmpty()) {
      return PodSandboxNetworkStatus.getDefaultInstance();
    }
    return PodSandboxNetworkStatus.newBuilder()
        .setIp(ips.getFirst())
        .addAllAdditionalIps(
            ips.stream().skip(1).map(ip -> PodIP.newBuilder().setIp(ip).build()).toList())
        .build();
  }
}
