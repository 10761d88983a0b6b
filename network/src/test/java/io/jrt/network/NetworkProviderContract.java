package io.jrt.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import io.jrt.network.PortMapping.Protocol;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What every network provider must do. The host, the pods and the outside are namespaces. */
@TestInstance(TestInstance.Lifecycle.PER_METHOD)
public abstract class NetworkProviderContract {
  protected Lab lab;
  protected NetworkProvider provider;
  private int pods;

  /** Makes the provider under test, on the state of the ones made before in this test. */
  protected abstract NetworkProvider open() throws Exception;

  /** How many addresses are taken, and other traces on the host; "" when there is nothing. */
  protected abstract String traces() throws Exception;

  /** Whether an IPv4 host port answers on 127.0.0.1 of the host. */
  protected boolean servesLocalhost() {
    return true;
  }

  @BeforeEach
  void openLab() throws Exception {
    lab = new Lab();
    provider = open();
  }

  @AfterEach
  void closeLab() throws Exception {
    try {
      provider.cleanupAll();
      provider.close();
    } finally {
      lab.close();
    }
  }

  /** A pod that is attached. */
  public record Pod(AttachRequest request, Attachment attachment) {
    public Path netns() {
      return request.netns();
    }

    public PodRef ref() {
      return request.pod();
    }

    public String v4() {
      return attachment.ips().stream().filter(ip -> !ip.contains(":")).findFirst().orElseThrow();
    }

    public String v6() {
      return attachment.ips().stream().filter(ip -> ip.contains(":")).findFirst().orElseThrow();
    }
  }

  protected AttachRequest request(Map<String, String> labels, PortMapping... ports) {
    int number = ++pods;
    String id = "%064x".formatted(0x1000 + number);
    return new AttachRequest(
        new PodRef(id, "pod-" + number, "default", "uid-" + number),
        lab.netns("pod-" + number),
        labels,
        Map.of(),
        List.of(ports),
        DnsConfig.NONE,
        "");
  }

  protected Pod pod(PortMapping... ports) {
    return attach(request(Map.of(), ports));
  }

  protected Pod attach(AttachRequest request) {
    return new Pod(request, provider.attach(request));
  }

  @Test
  void podsReachEachOther() throws Exception {
    Pod a = pod();
    Pod b = pod();
    lab.serveTcp(b.netns(), 8080);
    assertThat(lab.askTcp(a.netns(), b.v4(), 8080)).isEqualTo(a.v4());
    assertThat(lab.askTcp(a.netns(), b.v6(), 8080)).isEqualTo(a.v6());
  }

  @Test
  void podReachesItselfOnItsAddressAndOnLoopback() throws Exception {
    Pod a = pod();
    lab.serveTcp(a.netns(), 8080);
    assertThat(lab.askTcp(a.netns(), a.v4(), 8080)).isEqualTo(a.v4());
    assertThat(lab.askTcp(a.netns(), "127.0.0.1", 8080)).isEqualTo("127.0.0.1");
    assertThat(lab.askTcp(a.netns(), "::1", 8080)).isEqualTo("::1");
  }

  @Test
  void podAndHostReachEachOther() throws Exception {
    Pod a = pod();
    lab.serveTcp(a.netns(), 8080);
    lab.serveTcp(lab.host(), 9090);
    assertThat(lab.askTcp(lab.host(), a.v4(), 8080)).isNotEmpty();
    assertThat(lab.askTcp(lab.host(), a.v6(), 8080)).isNotEmpty();
    assertThat(lab.askTcp(a.netns(), Lab.HOST_V4, 9090)).isNotEmpty();
    assertThat(lab.askTcp(a.netns(), Lab.HOST_V6, 9090)).isNotEmpty();
  }

  @Test
  void outsideIsReachedWithTheHostsAddress() throws Exception {
    Pod a = pod();
    lab.serveTcp(lab.outside(), 7070);
    assertThat(lab.askTcp(a.netns(), Lab.OUTSIDE_V4, 7070)).isEqualTo(Lab.HOST_V4);
    assertThat(lab.askTcp(a.netns(), Lab.OUTSIDE_V6, 7070)).isEqualTo(Lab.HOST_V6);
  }

  @Test
  void hostPortLeadsToThePodFromOutsideWithTheClientsAddress() throws Exception {
    Pod a = pod(new PortMapping(Protocol.TCP, 8080, 18080, ""));
    lab.serveTcp(a.netns(), 8080);
    assertThat(lab.askTcp(lab.outside(), Lab.HOST_V4, 18080)).isEqualTo(Lab.OUTSIDE_V4);
    assertThat(lab.askTcp(lab.outside(), Lab.HOST_V6, 18080)).isEqualTo(Lab.OUTSIDE_V6);
  }

  @Test
  void hostPortAnswersOnTheHostAndFromPods() throws Exception {
    Pod a = pod(new PortMapping(Protocol.TCP, 8080, 18080, ""));
    Pod b = pod();
    lab.serveTcp(a.netns(), 8080);
    assertThat(lab.askTcp(lab.host(), Lab.HOST_V4, 18080)).isNotEmpty();
    assertThat(lab.askTcp(lab.host(), Lab.HOST_V6, 18080)).isNotEmpty();
    if (servesLocalhost()) {
      assertThat(lab.askTcp(lab.host(), "127.0.0.1", 18080)).isNotEmpty();
    }
    assertThat(lab.askTcp(b.netns(), Lab.HOST_V4, 18080)).isNotEmpty();
    assertThat(lab.askTcp(b.netns(), Lab.HOST_V6, 18080)).isNotEmpty();
    assertThat(lab.askTcp(a.netns(), Lab.HOST_V4, 18080)).as("a pod's own host port").isNotEmpty();
    assertThat(lab.askTcp(a.netns(), Lab.HOST_V6, 18080)).as("a pod's own host port").isNotEmpty();
  }

  @Test
  void udpHostPortLeadsToThePod() throws Exception {
    Pod a = pod(new PortMapping(Protocol.UDP, 53, 10053, ""));
    lab.serveUdp(a.netns(), a.v4(), 53);
    lab.serveUdp(a.netns(), a.v6(), 53);
    assertThat(lab.askUdp(lab.outside(), Lab.HOST_V4, 10053)).isEqualTo(Lab.OUTSIDE_V4);
    assertThat(lab.askUdp(lab.outside(), Lab.HOST_V6, 10053)).isEqualTo(Lab.OUTSIDE_V6);
  }

  @Test
  void udpClientThatSentBeforeThePodCameIsLedToItAndToItsSuccessor() throws Exception {
    try (Lab.UdpClient client = lab.udpClient(lab.outside(), Lab.HOST_V4, 10053)) {
      assertThat(client.ask()).isEmpty();
      Pod first = pod(new PortMapping(Protocol.UDP, 53, 10053, ""));
      lab.serveUdp(first.netns(), first.v4(), 53);
      assertThat(client.ask()).isEqualTo(Lab.OUTSIDE_V4);
      provider.detach(first.ref());
      Pod second = pod(new PortMapping(Protocol.UDP, 54, 10053, ""));
      lab.serveUdp(second.netns(), second.v4(), 54);
      assertThat(client.ask()).isEqualTo(Lab.OUTSIDE_V4);
    }
  }

  @Test
  void hostPortOfOneAddressAnswersOnlyThere() throws Exception {
    lab.ip(lab.host(), "addr add 192.0.2.3/24 dev up0");
    Pod a = pod(new PortMapping(Protocol.TCP, 8080, 18080, "192.0.2.3"));
    Pod b = pod(new PortMapping(Protocol.TCP, 8081, 18080, Lab.HOST_V4));
    lab.serveTcp(a.netns(), 8080);
    lab.serveTcp(b.netns(), 8081);
    assertThat(lab.askTcp(lab.outside(), "192.0.2.3", 18080)).isEqualTo(Lab.OUTSIDE_V4);
    assertThat(lab.askTcp(lab.outside(), Lab.HOST_V4, 18080)).isEqualTo(Lab.OUTSIDE_V4);
    provider.detach(a.ref());
    assertThat(lab.askTcp(lab.outside(), "192.0.2.3", 18080, 500)).isEmpty();
    assertThat(lab.askTcp(lab.outside(), Lab.HOST_V4, 18080)).isEqualTo(Lab.OUTSIDE_V4);
  }

  @Test
  void hostPortInUseNamesItsHolder() throws Exception {
    Pod a = pod(new PortMapping(Protocol.TCP, 80, 18080, ""));
    AttachRequest second = request(Map.of(), new PortMapping(Protocol.TCP, 81, 18080, ""));
    assertThatThrownBy(() -> provider.attach(second))
        .isInstanceOf(JrtException.class)
        .hasMessage("host port *:18080/tcp is held by pod default/pod-1 (" + id(a) + ")");
    lab.serveTcp(lab.host(), 9090);
    AttachRequest third = request(Map.of(), new PortMapping(Protocol.TCP, 81, 9090, ""));
    assertThatThrownBy(() -> provider.attach(third))
        .isInstanceOf(JrtException.class)
        .hasMessageStartingWith(
            "host port *:9090/tcp is held by process " + ProcessHandle.current().pid());
    provider.detach(a.ref());
    assertThat(provider.attach(second).ips()).isNotEmpty();
  }

  private static String id(Pod pod) {
    return pod.ref().sandboxId();
  }

  @Test
  void secondAttachAnswersTheSame() {
    Pod a = pod();
    assertThat(provider.attach(a.request())).isEqualTo(a.attachment());
    provider.check(a.request());
  }

  @Test
  void detachLeavesNothingAndMayBeRepeated() throws Exception {
    Pod a = pod(new PortMapping(Protocol.TCP, 8080, 18080, ""));
    provider.detach(a.ref());
    provider.detach(a.ref());
    assertThatThrownBy(() -> provider.check(a.request())).isInstanceOf(JrtException.class);
    provider.gc(Set.of());
    assertThat(traces()).isEmpty();
  }

  @Test
  void detachWorksWithoutTheNamespace() throws Exception {
    Pod a = pod(new PortMapping(Protocol.TCP, 8080, 18080, ""));
    lab.removeNetns(a.netns());
    provider.detach(a.ref());
    provider.gc(Set.of());
    assertThat(traces()).isEmpty();
  }

  @Test
  void gcCollectsWhatNobodyNamesAlsoAfterARestart() throws Exception {
    Pod keep = pod(new PortMapping(Protocol.TCP, 8080, 18080, ""));
    Pod quiet = pod();
    Pod stale = pod(new PortMapping(Protocol.TCP, 8080, 18081, ""));
    provider.close();
    provider = open();
    provider.gc(Set.of(keep.ref().sandboxId(), quiet.ref().sandboxId()));
    lab.serveTcp(keep.netns(), 8080);
    assertThat(lab.askTcp(lab.outside(), Lab.HOST_V4, 18080)).isEqualTo(Lab.OUTSIDE_V4);
    provider.check(quiet.request());
    assertThatThrownBy(() -> provider.check(stale.request())).isInstanceOf(JrtException.class);
    AttachRequest taken = request(Map.of(), new PortMapping(Protocol.TCP, 81, 18080, ""));
    assertThatThrownBy(() -> provider.attach(taken)).hasMessageContaining("pod-1");
    provider.detach(keep.ref());
    provider.detach(quiet.ref());
    provider.gc(Set.of());
    assertThat(traces()).isEmpty();
  }

  @Test
  void manyPodsAtOnceGetDifferentAddressesAndLeaveNothing() throws Exception {
    List<AttachRequest> requests = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      requests.add(request(Map.of(), new PortMapping(Protocol.TCP, 80, 20000 + i, "")));
    }
    Set<String> ips = new HashSet<>();
    List<Thread> threads = new ArrayList<>();
    List<Throwable> errors = new ArrayList<>();
    for (AttachRequest request : requests) {
      threads.add(
          Thread.startVirtualThread(
              () -> {
                try {
                  Attachment attachment = provider.attach(request);
                  synchronized (ips) {
                    ips.addAll(attachment.ips());
                  }
                } catch (RuntimeException e) {
                  synchronized (errors) {
                    errors.add(e);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(errors).isEmpty();
    assertThat(ips).hasSize(48);
    for (AttachRequest request : requests) {
      provider.detach(request.pod());
    }
    provider.gc(Set.of());
    assertThat(traces()).isEmpty();
  }

  @Test
  void missingNamespaceIsAnErrorAndLeavesNothing() throws Exception {
    AttachRequest request = request(Map.of(), new PortMapping(Protocol.TCP, 80, 18080, ""));
    lab.removeNetns(request.netns());
    assertThatThrownBy(() -> provider.attach(request)).isInstanceOf(JrtException.class);
    provider.gc(Set.of());
    assertThat(traces()).isEmpty();
  }

  @Test
  void statsCountThePodsTraffic() throws Exception {
    Pod a = pod();
    lab.serveTcp(a.netns(), 8080);
    assertThat(lab.askTcp(lab.host(), a.v4(), 8080)).isNotEmpty();
    List<InterfaceStats> stats = new NetworkStats(lab.kernel()).of(a.netns());
    InterfaceStats eth0 =
        stats.stream().filter(s -> s.name().equals("eth0")).findFirst().orElseThrow();
    assertThat(eth0.rxBytes()).isPositive();
    assertThat(eth0.txPackets()).isPositive();
  }
}
